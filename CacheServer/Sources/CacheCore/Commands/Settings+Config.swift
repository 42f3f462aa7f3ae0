internal import RESP

// `CONFIG GET` and `CONFIG SET`.

extension Settings {
  /// Writes the parameters that `CONFIG GET` asks for, with their values.
  ///
  /// - Parameter fixed: the parameters that `CONFIG SET` cannot change.
  func writeParameters(
    _ request: borrowing Request, fixed: [(name: String, value: String)],
    _ reply: inout ReplyWriter
  ) {
    var found: [(name: String, value: String)] = []
    let parameters = Directive.all.map { ($0.name, $0.value(in: self)) } + fixed
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

  /// The settings after a `CONFIG SET`, which changes all of its parameters or none.
  ///
  /// - Parameter parameters: the parameters that cannot change.
  /// - Throws: ``CommandError/sentence(_:)`` with the parameter that is unknown, refused, or named twice.
  func changed(
    by request: borrowing Request, fixed parameters: [(name: String, value: String)]
  ) throws(CommandError) -> Settings {
    var new = self
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
      } else if let fixed = parameters.first(where: { $0.name == name }) {
        // The present value is accepted.
        guard fixed.value == value else { throw failed("can't set immutable config") }
      } else {
        throw .sentence(
          "ERR Unknown option or number of arguments for CONFIG SET - '\(request[index].text)'")
      }
    }
    return new
  }
}
