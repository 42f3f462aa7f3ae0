public import RESP

// Commands with subcommands: `CONFIG GET`. The caller has checked that there is a second
// word.

extension Request {
  /// The command with its subcommand, as Redis writes them: `config|get`.
  private var subcommandName: String { "\(self[0].text)|\(self[1].text)".lowercased() }

  /// What is answered to a subcommand with too few arguments or too many.
  public var wrongCountSentence: String { CommandError.count(of: subcommandName).reply }

  /// What is answered to a subcommand that there is not.
  public var unknownSubcommandSentence: String {
    let name = String(decoding: self[1].array.prefix(128), as: UTF8.self)
    return "ERR unknown subcommand '\(name)'. Try \(self[0].text.uppercased()) HELP."
  }

  /// Refuses a subcommand that has not `isExpected` many arguments.
  func expectCount(_ isExpected: Bool) throws(CommandError) {
    guard isExpected else { throw .count(of: subcommandName) }
  }
}

extension CommandError {
  /// A command, or a subcommand, with too few arguments or too many.
  static func count(of name: String) -> CommandError {
    .sentence("ERR wrong number of arguments for '\(name)' command")
  }

  /// The command does not have this subcommand.
  static func unknownSubcommand(of request: borrowing Request) -> CommandError {
    .sentence(request.unknownSubcommandSentence)
  }
}

extension ReplyWriter {
  /// What `HELP` says: a line for each, and one for `HELP` itself.
  public mutating func help(_ command: Command, _ lines: [String]) {
    let all =
      [
        "\(command.name.uppercased()) <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"
      ] + lines + ["HELP", "    Prints this help."]
    array(all.count)
    for line in all { simple(line) }
  }
}
