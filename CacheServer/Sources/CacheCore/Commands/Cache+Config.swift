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
      getSettings(request, &reply)
    } else if name.isWord("set") {
      try request.expectCount(request.count > 3)
      guard request.count % 2 == 0 else { throw .syntax }
      settings = try newSettings(request)
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

  /// What `CONFIG GET` gives.
  private var parameters: [(name: String, value: String)] {
    Directive.all.map { ($0.name, $0.value(in: settings)) } + fixedParameters
  }

  private func getSettings(_ request: borrowing Request, _ reply: inout ReplyWriter) {
    var found: [(name: String, value: String)] = []
    for parameter in parameters {
      for index in 2..<request.count
      where GlobPattern.matches(
        request[index], Array(parameter.name.utf8).rawSpan, ignoringCase: true)
      {
        // A name is written as it was asked for.
        let asked = request[index].text
        let isName =
          asked.utf8.count == parameter.name.utf8.count && !asked.contains { "*?[\\".contains($0) }
        found.append((isName ? asked : parameter.name, parameter.value))
        break
      }
    }
    reply.map(found.count)
    for (name, value) in found {
      reply.bulk(name)
      reply.bulk(value)
    }
  }

  /// The settings with what is asked for; all of it, or an error.
  private func newSettings(_ request: borrowing Request) throws(CommandError) -> Settings {
    var new = settings
    var seen: Set<String> = []
    for index in stride(from: 2, to: request.count, by: 2) {
      let name = request[index].text.lowercased()
      let value = request[index + 1].text
      func failed(_ reason: String, of asked: String? = nil) -> CommandError {
        .sentence(
          "ERR CONFIG SET failed (possibly related to argument '\(asked ?? name)') - \(reason)")
      }
      guard seen.insert(name).inserted else {
        throw failed("duplicate parameter", of: request[index].text)
      }
      if let directive = Directive.named(name) {
        do throws(DirectiveRefusal) { try directive.set(value, in: &new) } catch {
          throw failed(error.reason)
        }
      } else if let fixed = fixedParameters.first(where: { $0.name == name }) {
        // A value that holds already is accepted.
        guard fixed.value == value else { throw failed("can't set immutable config") }
      } else {
        throw .sentence(
          "ERR Unknown option or number of arguments for CONFIG SET - '\(request[index].text)'")
      }
    }
    return new
  }
}
