import ArgumentParser
import Testing

@testable import KHOCommands

/// The help of each command has examples, and the command accepts each of them.
struct HelpTests {
  static let commands = KHO.configuration.subcommands
    .filter { $0.configuration.shouldDisplay }.map { $0._commandName }

  @Test func helpGroupsEveryCommand() {
    let grouped = KHO.configuration.groupedSubcommands.flatMap(\.subcommands)
      .map { $0._commandName }
    #expect(grouped.sorted() == Self.commands.sorted())
    #expect(Set(grouped).count == grouped.count)
  }

  @Test(arguments: commands)
  func examplesParse(of command: String) throws {
    let help = CommandRun(["help", command]).text
    let examples = try #require(help.split(separator: "\nExamples:\n").dropFirst().first)
      .split(separator: "\n", omittingEmptySubsequences: false)
      .prefix { $0.hasPrefix("  ") }
    try #require(!examples.isEmpty)
    for example in examples {
      let words = Self.words(of: example)
      #expect(words.prefix(2) == ["kho", command], "\(example)")
      #expect(throws: Never.self, "\(example)") {
        _ = try KHO.parseAsRoot(Array(words.dropFirst()))
      }
    }
  }

  /// The arguments of a command line, without a redirection, and without the other parts of a pipe.
  private static func words(of line: Substring) -> [String] {
    var words: [String] = []
    for (index, part) in line.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
    {
      if index % 2 == 1 {
        words.append(String(part))
      } else {
        words += part.split(separator: " ").map(String.init)
      }
    }
    // Of a pipe, the part that calls this tool.
    let parts = words.split(separator: "|")
    return (parts.first { $0.first == "kho" } ?? []).prefix { $0 != ">" }.map(\.self)
  }
}
