public import RESP

extension CommandError {
  /// There is no such subcommand.
  static func unknown(_ subcommand: RawSpan, of command: String) -> CommandError {
    let name = String(decoding: subcommand.array.prefix(128), as: UTF8.self)
    return .sentence("ERR unknown subcommand '\(name)'. Try \(command.uppercased()) HELP.")
  }

  /// A subcommand with too few arguments or too many.
  static func count(of subcommand: String) -> CommandError {
    .sentence("ERR wrong number of arguments for '\(subcommand)' command")
  }
}

extension ReplyWriter {
  /// What `HELP` says: a line for each, and one for `HELP` itself.
  public mutating func help(_ command: String, _ lines: [String]) {
    let all =
      ["\(command) <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"] + lines
      + ["HELP", "    Prints this help."]
    array(all.count)
    for line in all { simple(line) }
  }
}
