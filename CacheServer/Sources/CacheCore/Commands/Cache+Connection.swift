internal import RESP

extension Cache {
  /// The version of Redis whose commands and replies these are.
  public static var redisVersion: String { "7.0.15" }

  /// The version of this server.
  public static var version: String { "0.1.0" }

  /// `PING`, `ECHO`, `SELECT`, `HELLO`, `AUTH`, `RESET`, `QUIT`.
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
      let index = try Self.integer(request[1])
      guard (Int64(Int32.min)...Int64(Int32.max)).contains(index) else {
        throw .sentence(
          "ERR value is out of range, value must between \(Int32.min) and \(Int32.max)")
      }
      guard (0..<Int64(Databases.count)).contains(index) else {
        throw .sentence("ERR DB index is out of range")
      }
      session.database = Int(index)
      reply.ok()
    case .hello: try hello(request, &session, &reply)
    case .auth: try authenticate(request, &session, &reply)
    case .reset:
      session.isAuthenticated = settings.password.isEmpty
      session.transaction = nil
      forgetWatches(of: &session)
      session.database = 0
      session.replyMode = .on
      session.isNotTouching = false
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
    var isAuthenticated = session.isAuthenticated
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
        guard settings.isValid(user: request[index + 1], password: request[index + 2]) else {
          throw .wrongPassword
        }
        isAuthenticated = true
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
    guard isAuthenticated else {
      throw .sentence(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "
          + "<proto> AUTH <user> <pass> option can be used to authenticate the client and select "
          + "the RESP protocol version at the same time")
    }
    session.isAuthenticated = true
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

  // MARK: Passwords

  /// `AUTH [user] password`.
  private mutating func authenticate(
    _ request: borrowing Request, _ session: inout Session, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    guard request.count <= 3 else { throw .syntax }
    if request.count == 2, settings.password.isEmpty {
      throw .sentence(
        "ERR AUTH <password> called without any password configured for the default user. Are you "
          + "sure your configuration is correct?")
    }
    let isValid =
      request.count == 2
      ? settings.isPassword(request[1])
      : settings.isValid(user: request[1], password: request[2])
    guard isValid else { throw .wrongPassword }
    session.isAuthenticated = true
    reply.ok()
  }
}

extension CommandError {
  static var wrongPassword: CommandError {
    .sentence("WRONGPASS invalid username-password pair or user is disabled.")
  }
}
