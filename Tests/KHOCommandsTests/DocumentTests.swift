import Foundation
import HandoverTestSupport
import Testing

/// What the documents show of the tool is what it prints: each of their commands is run.
///
/// A line `…` represents any number of lines.
@Suite struct DocumentTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func anOperatorFindsTheMissingMemory() throws {
    let article = try Document("\(Document.articles)/WhenMemoryIsMissing.md")
    try breakTheImage(as: article)
    try expectWhatIsShown(in: article, count: 11)
  }

  @Test(arguments: [("README.md", 2), ("\(Document.articles)/MapsAndPlans.md", 6)])
  func examples(of name: String, count: Int) throws {
    try expectWhatIsShown(in: Document(name), count: count)
  }

  /// The damage that the article does is one bit, that of one page of a file.
  @Test func oneBitIsBroken() throws {
    try breakTheImage(as: Document("\(Document.articles)/WhenMemoryIsMissing.md"))
    let sound = try Data(contentsOf: URL(filePath: path(of: "sound.elf")))
    let broken = try Data(contentsOf: URL(filePath: path(of: "broken.elf")))
    let differences = zip(sound, broken).map { ($0 ^ $1).nonzeroBitCount }
    #expect(sound.count == broken.count && differences.reduce(0, +) == 1)
    let report: RecordsJSON = try kho("inspect", "--json", path(of: "broken.elf")).json()
    #expect(report.handovers.map { $0.findings.map(\.code) } == [["record-refers-unpreserved"]])
    // Its bytes are still those of page 17 of the file.
    let page = kho("extract", path(of: "broken.elf"), "--range", "0x17d0000-0x17d1000").output
    let file = kho("extract", path(of: "sound.elf"), "--memfd", "vm-alpha:4097").output
    #expect(page.count == 4096 && page == Array(file[17 * 4096..<18 * 4096]))
  }

  /// Each row of the table in the README: the command, and a part of what it prints.
  @Test func theTableOfQuestions() throws {
    let rows = try Document("README.md").questions
    #expect(rows.count == 13)
    for (command, answers) in rows {
      // What the machine lets read, and what it then holds, is not known.
      if command.hasSuffix("--live") { continue }
      let words = command.split(separator: " ").dropFirst().map(String.init)
      let run = CommandRun(words.map(path(of:)))
      let printed = words.reduce(run.text + run.errors) {
        $0.replacing(path(of: $1), with: $1)
      }
      try #require(!answers.isEmpty, "\(command)")
      for answer in answers {
        #expect(Document.words(of: printed).contains(Document.words(of: answer)), "\(command)")
      }
    }
  }

  // MARK: Running

  /// Copies a byte into the image as the article's `printf … | dd` does.
  private func breakTheImage(as article: Document) throws {
    let command = #/printf '\\([0-7]+)' \| dd of=broken\.elf bs=1 seek=([0-9]+)/#
    let match = try #require(article.text.firstMatch(of: command))
    let byte = try #require(UInt8(match.1, radix: 8))
    let offset = try #require(Int(match.2))
    var image = try Data(contentsOf: URL(filePath: path(of: "sound.elf")))
    try #require(image.indices.contains(offset))
    image[offset] = byte
    _ = try folder.write(Array(image), "broken.elf")
  }

  private func expectWhatIsShown(in document: Document, count: Int) throws {
    let examples = document.examples
    #expect(examples.count == count)
    for example in examples where example.arguments.last != "image.elf" {
      let run = CommandRun(example.arguments.map(path(of:)))
      let printed = example.arguments.reduce(run.text + run.errors) {
        $0.replacing(path(of: $1), with: $1)
      }
      let lines = printed.split(separator: "\n")
      #expect(
        Document.matches(lines[...], example.output[...]), "\(example.arguments): \(printed)")
      if let status = example.status { #expect(run.status == status, "\(example.arguments)") }
    }
  }

  /// Where a file that a document names is; other words are themselves.
  private func path(of word: String) -> String {
    let name = word.hasPrefix("Fixtures/") ? String(word.dropFirst(9)) : word
    if name == "sound.elf" { return Fixture(name: "linux-7.3-kho-v4").path }
    if let fixture = Fixture.all.first(where: { "\($0.name).elf" == name }) { return fixture.path }
    if name.hasPrefix("plan/") { return Fixture.file(name) }
    let outputs = [
      "broken.elf", "report.elf", "report.tar", "small.elf", "alpha-4096", "alpha-4097", "page-17",
    ]
    return outputs.contains(word) ? folder.path(word) : word
  }
}

/// A document of this package.
private struct Document {
  let text: String

  static let articles = "Sources/KexecHandover/KexecHandover.docc"

  /// A command, what it prints, and its exit status where that is shown.
  struct Example {
    var arguments: [String]
    var output: [Substring] = []
    var status: Int32?
  }

  init(_ name: String) throws {
    let root = URL(filePath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    text = try String(contentsOf: root.appending(path: name), encoding: .utf8)
  }

  /// The commands in the text's blocks of code.
  var examples: [Example] {
    var examples: [Example] = []
    // Whether a line belongs to the last example's output, or is its status.
    var (isOutput, isStatus) = (false, false)
    for line in text.split(separator: "\n") {
      if line.hasPrefix("$ ") || line.hasPrefix("```") {
        isStatus = line == "$ echo $?"
        isOutput = line.hasPrefix("$ kho ")
        guard isOutput else { continue }
        let words = line.split(separator: " ").dropFirst(2)
        examples.append(Example(arguments: words.map(String.init)))
      } else if isStatus {
        examples[examples.count - 1].status = Int32(line)
      } else if isOutput {
        examples[examples.count - 1].output.append(line)
      }
    }
    return examples
  }

  /// The rows of a table that have a command in their second column, with what is quoted in the third.
  var questions: [(command: String, answers: [String])] {
    text.split(separator: "\n").compactMap { line in
      let cells = line.split(separator: "|").map { Self.quotes(in: $0) }
      guard line.hasPrefix("|"), cells.count == 3,
        let command = cells[1].first, command.hasPrefix("kho ")
      else { return nil }
      return (command, cells[2])
    }
  }

  private static func quotes(in cell: Substring) -> [String] {
    cell.matches(of: #/`([^`]+)`/#).map { String($0.1) }
  }

  /// The text with one space between words: columns are not aligned in a table's cell.
  static func words(of text: String) -> String {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  static func matches(_ lines: ArraySlice<Substring>, _ shown: ArraySlice<Substring>) -> Bool {
    guard let first = shown.first else { return lines.isEmpty }
    if first == "…" {
      return (lines.startIndex...lines.endIndex).contains {
        matches(lines[$0...], shown.dropFirst())
      }
    }
    return lines.first == first && matches(lines.dropFirst(), shown.dropFirst())
  }
}
