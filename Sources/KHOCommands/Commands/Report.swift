internal import ArgumentParser
internal import KexecHandover
internal import Platform
internal import SystemPackage

/// `kho report`: everything that a bug report needs, in one archive.
struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Writes one archive for a bug report: a capture, and what commands print of it.",
    discussion: """
      OUTPUT is a folder, or a tar file if its name ends in .tar. It contains capture.elf (the handovers \
      without the contents of the preserved pages, as `capture` writes it), inspect.json, check.json, \
      owners.json, metrics.prom, map.html of the first handover that can be read, with --dmesg or --live the \
      lines of the kernel's log that are about KHO, and README.txt, which lists them.

      Records, blobs and command lines can contain secrets, so only their owner can read the files: \
      look at them before you send them. `report` prints the findings, and its exit status is that of \
      `check`; it writes the archive in any case.

      Examples:
        kho report -o report.tar vmcore
        kho report --live -o report

      \(ExitStatus.help)
      """)

  @OptionGroup var options: ImageOptions

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The folder or tar file to write.", valueName: "output"),
    completion: .file())
  var output: String

  @Flag(help: "Write a tar file, whatever its name.")
  var tar = false

  @Option(
    name: .customLong("dmesg"),
    help: ArgumentHelp("The kernel's log, as dmesg or journalctl -k prints it.", valueName: "file"),
    completion: .file())
  var logPath: String?

  @OptionGroup var forced: ForceOption

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let log = try self.log()
    let capture = try options.capture(withContents: false)
    let image = capture.image
    Console.current.complain(of: image.memory, name: image.name)
    let inputs = options.inputs + (logPath.map { [FilePath($0)] } ?? [])
    let rules = OutputRules(isForced: forced.force, isSecret: true, reading: inputs)
    let verdicts = image.surveys.map { HandoverVerdict(on: $0, in: image) }
    do throws(ArchiveError) {
      let archive = try Archive(at: output, isTar: tar, rules)
      try fill(archive, capture, verdicts, log)
    } catch {
      throw CommandFailure.badOutput(error.sentence)
    }
    image.complainAboutOmissions()
    try image.requireWhole()
    if verdicts.contains(where: { $0.errorCount > 0 }) { throw CommandFailure.findings() }
  }

  private func fill(
    _ archive: consuming Archive, _ capture: HandoverCapture, _ verdicts: [HandoverVerdict],
    _ log: [UInt8]?
  ) throws(ArchiveError) {
    let image = capture.image
    var parts: [(name: String, about: String)] = []
    func file(_ value: JSONValue) -> [UInt8] { Array((value.text() + "\n").utf8) }
    // A capture holds memory by address.
    if image.surveys.allSatisfy({ $0.address != nil }) {
      let writer = capture.writer
      try archive.add("capture.elf", writer.fileByteCount) { (file) throws(ArchiveError) in
        do throws(CoreFileError) {
          try writer.write(to: &file, from: image.memory) { _ in }
        } catch {
          throw ArchiveError("capture.elf: \(error.description)")
        }
      }
      parts.append(
        ("capture.elf", "the handovers, without the preserved pages: kho inspect capture.elf"))
    }
    if let bytes = JSONDocument.inspect(image, atMost: 256 << 20) {
      try archive.add("inspect.json", bytes)
      parts.append(("inspect.json", "kho inspect --json"))
    } else {
      Console.current.complain(
        "inspect.json is left out: it has more than 256 MiB; kho inspect --json writes it")
    }
    try archive.add("check.json", file(JSONDocument.check(verdicts)))
    parts.append(("check.json", "kho check --json"))
    let owners = image.surveys.map { ($0, $0.owners(in: image.memory)) }
    try archive.add("owners.json", file(JSONDocument.owners(owners)))
    parts.append(("owners.json", "kho owners --json"))
    try archive.add("metrics.prom", Array(HandoverMetrics(image).text.utf8))
    parts.append(("metrics.prom", "kho inspect --format openmetrics"))
    if let survey = image.surveys.first(where: { $0.error == nil }),
      let subject = try? MapSubject(survey, of: image, range: nil, scratch: image.scratch)
    {
      try archive.add("map.html", MapHTML(subject).bytes)
      parts.append(("map.html", "kho map --html, of the \(survey.title)"))
    }
    if let log {
      try archive.add("dmesg.txt", log)
      parts.append(("dmesg.txt", "the lines of the kernel's log that are about KHO"))
    }
    let readme = Self.readme(image, parts)
    try archive.add("README.txt", Array(readme.utf8))
    let (count, byteCount) = (archive.fileCount, archive.byteCount)
    try archive.finish()
    if json {
      Console.current.printJSON(
        JSONDocument.make(
          "kho-report/1",
          [
            "path": output, "parts": parts.map(\.name) + ["README.txt"], "bytes": byteCount,
            "errorCount": verdicts.reduce(0) { $0 &+ $1.errorCount },
          ]))
    } else {
      Console.current.print(
        "\(printable(path: output)): \(countText(UInt64(count), "file")), \(byteText(byteCount))")
      for verdict in verdicts { verdict.printFindings(isWhole: !image.isIncomplete) }
    }
  }

  private static func readme(
    _ image: HandoverImage, _ parts: [(name: String, about: String)]
  ) -> String {
    var table = TextTable([.left, .left])
    for part in parts { table.add([part.name, part.about]) }
    var lines = [
      "A report by kho \(KHO.configuration.version) on \(printable(path: image.name)).", "",
    ]
    lines += table.lines(indent: "  ")
    lines += ["", "Handovers:"]
    for survey in image.surveys {
      let version = survey.deviceTree?.compatible.map { printable($0) } ?? "unknown version"
      lines.append(
        "  \(survey.title): \(version)" + (survey.error.map { ", \($0.sentence)" } ?? ""))
    }
    if let shortfall = image.memory.shortfall {
      lines += ["", "\(printable(path: image.name)): \(shortfall)"]
    }
    lines += [
      "",
      "The contents of preserved pages are left out. Records, registered blobs and command lines are",
      "in, and can contain secrets: look at them before you send this.", "",
    ]
    return lines.joined(separator: "\n")
  }

  /// The lines of the log that are about KHO; nil without a log.
  private func log() throws(CommandFailure) -> [UInt8]? {
    let bytes: [UInt8]
    if let logPath {
      bytes = try InputFile.read(logPath, atMost: KernelLog.byteLimit)
    } else if options.isLive {
      let place = options.liveRoot.folder.pushing("dev/kmsg")
      guard let read = try? SmallFile.readLog(place, atMost: KernelLog.byteLimit) else {
        return nil
      }
      bytes = read
    } else {
      return nil
    }
    return KernelLog.relevantLines(of: bytes)
  }
}
