internal import RESP

// CONFIG: what can be set, and what clients ask for although it cannot.

extension Cache {
  /// `CONFIG GET`, `SET`, `RESETSTAT`, `REWRITE`.
  mutating func config(
    _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let name = request[1]
    if name.isWord("get") {
      try request.expectCount(request.count > 2)
      settings.writeParameters(request, fixed: fixedParameters(), &reply)
    } else if name.isWord("set") {
      try request.expectCount(request.count > 3)
      guard request.count % 2 == 0 else { throw .syntax }
      settings = try settings.changed(by: request, fixed: fixedParameters())
      reply.ok()
    } else if name.isWord("resetstat") {
      try request.expectCount(request.count == 2)
      figures = Figures()
      timing.reset()
      reply.ok()
    } else if name.isWord("rewrite") {
      try request.expectCount(request.count == 2)
      // The server has the file.
      preconditionFailure("CONFIG REWRITE is carried out by the cache")
    } else if name.isWord("help") {
      try request.expectCount(request.count == 2)
      reply.help(.config, Self.configHelp)
    } else {
      throw .unknownSubcommand(of: request)
    }
  }

  private static let configHelp = [
    "GET <pattern>",
    "    Return parameters matching the glob-like <pattern> and their values.",
    "SET <directive> <value>",
    "    Set the configuration <directive> to <value>.",
    "RESETSTAT",
    "    Reset statistics reported by the INFO command.",
    "REWRITE",
    "    Rewrite the configuration file.",
  ]
}
