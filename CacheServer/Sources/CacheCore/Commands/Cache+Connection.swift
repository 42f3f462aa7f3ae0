internal import RESP

extension Cache {
  /// The version of Redis whose commands and replies these are.
  public static var redisVersion: String { "7.0.15" }

  /// `PING`, `ECHO`, `SELECT`, `HELLO`, `RESET`, `QUIT`.
  mutating func performConnection(
    _ command: Command, _ request: borrowing Request, _ session: inout Session,
    _ reply: inout ReplyWriter
  ) throws(CommandError) -> Outcome {
    switch command {
    case .ping:
      guard request.count <= 2 else { throw .count(of: "ping") }
      if request.count == 2 { reply.bulk(request[1]) } else { reply.simple("PONG") }
    case .echo: reply.bulk(request[1])
    case .select:
      // There is one database, as with `databases 1`.
      let index = try integer(request[1])
      guard (Int64(Int32.min)...Int64(Int32.max)).contains(index) else {
        throw .sentence(
          "ERR value is out of range, value must between \(Int32.min) and \(Int32.max)")
      }
      guard index == 0 else { throw .sentence("ERR DB index is out of range") }
      reply.ok()
    case .hello: try hello(request, &session, &reply)
    case .reset:
      session.isRESP3 = false
      session.isNotEvicted = false
      session.name = []
      reply.isRESP3 = false
      reply.simple("RESET")
    default:
      reply.ok()
      return .close
    }
    return .done
  }

  /// `HELLO [version [AUTH name password] [SETNAME name]]`.
  private mutating func hello(
    _ request: borrowing Request, _ session: inout Session, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    var isRESP3 = session.isRESP3
    var name: [UInt8]?
    if request.count > 1 {
      guard let version = Int64(decimal: request[1]) else {
        throw .sentence("ERR Protocol version is not an integer or out of range")
      }
      guard version == 2 || version == 3 else {
        throw .sentence("NOPROTO unsupported protocol version")
      }
      isRESP3 = version == 3
    }
    var index = 2
    while index < request.count {
      let option = request[index]
      if option.isWord("auth"), index + 2 < request.count {
        // The default user has no password, so any one does.
        guard request[index + 1].hasSameBytes(as: Self.defaultUser.rawSpan) else {
          throw .sentence("WRONGPASS invalid username-password pair or user is disabled.")
        }
        index += 3
      } else if option.isWord("setname"), index + 1 < request.count {
        guard Session.isValidName(request[index + 1]) else {
          throw .sentence(Session.refusal(of: "Client names"))
        }
        name = request[index + 1].array
        index += 2
      } else {
        throw .sentence("ERR Syntax error in HELLO option '\(option.text)'")
      }
    }
    session.isRESP3 = isRESP3
    if let name { session.name = name }
    reply.isRESP3 = isRESP3
    reply.map(7)
    reply.bulk("server")
    reply.bulk("redis")
    reply.bulk("version")
    reply.bulk(Self.redisVersion)
    reply.bulk("proto")
    reply.integer(isRESP3 ? 3 : 2)
    reply.bulk("id")
    reply.integer(Int64(session.id))
    reply.bulk("mode")
    reply.bulk("standalone")
    reply.bulk("role")
    reply.bulk("master")
    reply.bulk("modules")
    reply.array(0)
  }

  private static var defaultUser: [UInt8] { Array("default".utf8) }
}
