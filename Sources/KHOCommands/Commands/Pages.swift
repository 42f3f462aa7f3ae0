internal import ArgumentParser
internal import KexecHandover

/// `kho pages`: every entry.
struct Pages: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pages",
    abstract: "Lists every preserved block in an image.",
    discussion: """
      Entries are sorted by address, then by order. Formats: table, for people; plain, one line \
      "PHYS ORDER" for each entry, PHYS in hexadecimal without 0x; ranges, one line for entries of one order \
      that follow each other without a gap.

      Examples:
        kho pages vmcore
        kho pages --format plain --order 9 vmcore
        kho pages --format ranges --range 1G-2G vmcore

      \(ExitStatus.help)
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, plain, ranges
  }

  @OptionGroup var options: ImageOptions

  @Option(help: "How to print the entries.")
  var format = Format.table

  @Option(help: "Only entries of this order.")
  var order: Int?

  @Option(
    name: .customLong("range"),
    help: ArgumentHelp(
      "Only entries that hold a byte of A-B, from A up to but not including B.",
      valueName: "a-b"))
  var addresses: AddressFilter?

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if let order, !(0...63).contains(order) {
      throw ValidationError("--order is a number from 0 to 63.")
    }
  }

  func run() throws {
    let image = try options.load()
    image.complainAboutOmissions()
    let chosen = try choose(from: image)
    let filter = EntryFilter(order: order.map { PageOrder($0) }, addresses: addresses?.range)
    if json {
      EntryPrinter.printJSON(chosen, in: image.memory, filter, asRanges: format == .ranges)
    } else {
      for survey in chosen { print(survey, isOnly: chosen.count == 1, in: image.memory, filter) }
    }
    try image.requireWhole()
  }

  /// The handovers to list: those that can be read, or, where none can, all, as far as they go.
  private func choose(from image: HandoverImage) throws(CommandFailure) -> [HandoverSurvey] {
    let sound = image.surveys.filter { $0.error == nil }
    guard !sound.isEmpty else { return image.surveys }
    for survey in image.surveys {
      guard let error = survey.error else { continue }
      Console.current.complain("\(image.name): \(survey.title) left out: \(error.sentence)")
    }
    if sound.count > 1, format == .plain, !json {
      let addresses = sound.compactMap { $0.address?.description }.joined(separator: ", ")
      throw .badInput(
        "\(image.name): \(sound.count) handovers, and a plain list has room for one; choose with "
          + "--fdt-address: \(addresses)")
    }
    return sound
  }

  private func print(
    _ survey: HandoverSurvey, isOnly: Bool, in memory: MemoryImage, _ filter: EntryFilter
  ) {
    if !isOnly { Console.current.print("# \(survey.title)") }
    switch format {
    case .plain: EntryPrinter.printPlain(survey, in: memory, filter)
    case .table: EntryPrinter.printTable(survey, in: memory, filter)
    case .ranges: EntryPrinter.printRanges(survey, in: memory, filter)
    }
  }
}
