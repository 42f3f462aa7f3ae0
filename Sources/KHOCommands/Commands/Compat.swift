internal import ArgumentParser
internal import KexecHandover
internal import SystemPackage

/// `kho compat`: will the next kernel understand this one?
struct Compat: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compat",
    abstract: "Reports whether kernel B understands what kernel A hands over.",
    discussion: """
      A and B are releases of Linux, such as 7.1 or 7.3.4, or images, or `live` for the running \
      system. Of an image, the format strings in the handover itself are compared, with its page size. If it \
      contains several handovers, the first that can be read is used; \
      --fdt-address-a and --fdt-address-b choose another.

      What no source shows is reported as unknown. It is never derived from neighbouring releases. \
      `kho compat --list` prints what is known, and with --json the source of each fact.

      The exit status is 1 if B does not understand all of it, and 3 if that is unknown. \(ExitStatus.help)

      Examples:
        kho compat 7.1 7.3
        kho compat image-of-this-machine.elf 7.3
        kho compat live 7.3
        kho compat --list
      """)

  @Argument(
    help: "The kernel that hands over: a release, an image, or live.", completion: .file())
  var from: String?

  @Argument(help: "The kernel that takes over: a release, an image, or live.", completion: .file())
  var to: String?

  @Flag(help: "List the formats of each release, as far as they are known.")
  var list = false

  @Option(
    name: .customLong("fdt-address-a"),
    help: ArgumentHelp("Which handover of image A to compare.", valueName: "addr"))
  var addressA: AddressArgument?

  @Option(
    name: .customLong("fdt-address-b"),
    help: ArgumentHelp("Which handover of image B to compare.", valueName: "addr"))
  var addressB: AddressArgument?

  @OptionGroup var liveRoot: LiveRoot

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if list, from != nil { throw ValidationError("--list takes no kernels.") }
    if !list, to == nil { throw ValidationError("Two kernels are compared: give A and B.") }
  }

  func run() throws {
    guard let from, let to else {
      if json {
        Console.current.printJSON(JSONDocument.catalogue())
      } else {
        for line in FormatCatalogue.table.lines() { Console.current.print(line) }
        Console.current.print()
        Console.current.print("· none   ? not known   (sources: kho compat --list --json)")
      }
      return
    }
    let writer = try formats(from, addressA)
    let reader = try formats(to, addressB)
    let result = Compatibility(from: writer, to: reader)
    if json {
      Console.current.printJSON(JSONDocument.compat(result))
    } else {
      for line in result.description { Console.current.print(line) }
    }
    switch result.verdict {
    case .compatible: break
    case .incompatible: throw CommandFailure.findings()
    case .unknown: throw CommandFailure(status: .inputFailed, sentence: nil)
    }
  }

  /// What `argument` names: a file if one of that name exists, else a release.
  private func formats(
    _ argument: String, _ address: AddressArgument?
  ) throws(CommandFailure) -> KernelFormats {
    let isFile = (try? FileDescriptor.open(FilePath(argument), .readOnly).close()) != nil
    if !isFile, let name = FormatCatalogue.releaseName(argument) {
      guard let release = FormatCatalogue.release(name) else {
        let known = FormatCatalogue.releases.map(\.name).joined(separator: ", ")
        throw .badInput("nothing is known about the formats of Linux \(name); known are \(known)")
      }
      return release.formats
    }
    var options = HandoverImage.Options()
    if let address { options.deviceTree = .address(address.address) }
    let image = try HandoverImage.load(argument, options, liveRoot)
    let survey = image.surveys.first { $0.error == nil } ?? image.surveys[0]
    guard survey.deviceTree?.compatible != nil else {
      throw .badInput("\(argument): \(survey.title) does not contain its version")
    }
    return KernelFormats(survey, in: image)
  }
}

extension FormatCatalogue {
  /// A line for each release.
  fileprivate static var table: TextTable {
    var table = TextTable(
      [.left] + [TextTable.Alignment](repeating: .left, count: HandoverFormat.allCases.count))
    table.add(["linux"] + HandoverFormat.allCases.map(\.rawValue))
    for release in releases {
      table.add(
        [release.name]
          + HandoverFormat.allCases.map { (release.facts[$0] ?? .unknown).text })
    }
    return table
  }
}

extension Compatibility {
  /// The comparison for people, line by line.
  fileprivate var description: [String] {
    var table = TextTable([.left, .left, .left, .left])
    table.add(["", "A writes", "B reads", ""])
    for row in rows {
      let mark =
        switch row.verdict {
        case .compatible: "yes"
        case .incompatible: "NO"
        case .unknown: "unknown"
        }
      table.add([row.title, row.written.text, row.understood.text, mark])
    }
    var lines = ["A: \(printable(path: writer.name))", "B: \(printable(path: reader.name))", ""]
    lines += table.lines(indent: "  ")
    lines.append("")
    switch verdict {
    case .compatible: lines.append("B understands what A hands over")
    case .incompatible: lines.append("B does not understand what A hands over")
    case .unknown: lines.append("whether B understands what A hands over is unknown")
    }
    if let row = firstObstacle, let consequence = row.consequence {
      lines.append("first: \(row.title): \(consequence.sentence)")
    }
    return lines
  }
}
