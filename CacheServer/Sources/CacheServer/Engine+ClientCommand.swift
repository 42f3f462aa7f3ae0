internal import CacheCore
internal import NIOCore
internal import RESP

// CLIENT: what is known about who is connected.

extension Engine {
  /// `CLIENT` with its subcommands.
  func client(_ request: borrowing Request, for connection: ConnectionHandler) {
    let name = request[1]
    func expects(_ isExpected: Bool) -> Bool {
      if !isExpected { reply.error(request.wrongCountSentence) }
      return isExpected
    }
    if name.isWord("id") {
      if expects(request.count == 2) { reply.integer(Int64(connection.session.id)) }
    } else if name.isWord("getname") {
      guard expects(request.count == 2) else { return }
      let name = connection.session.name
      if name.isEmpty { reply.null() } else { reply.bulk(name.rawSpan) }
    } else if name.isWord("setname") {
      if expects(request.count == 3) { setName(request[2], of: connection) }
    } else if name.isWord("setinfo") {
      if expects(request.count == 4) { setInfo(request, of: connection) }
    } else if name.isWord("info") {
      if expects(request.count == 2) { reply.verbatim(describe(connection, by: "client|info")) }
    } else if name.isWord("list") {
      list(request, for: connection)
    } else if name.isWord("kill") {
      if expects(request.count > 2) { kill(request, for: connection) }
    } else if name.isWord("no-evict") {
      guard expects(request.count == 3) else { return }
      let isOn = request[2].isWord("on")
      guard isOn || request[2].isWord("off") else { return reply.error("ERR syntax error") }
      connection.session.isNotEvicted = isOn
      reply.ok()
    } else if name.isWord("no-touch") {
      guard expects(request.count == 3) else { return }
      let isOn = request[2].isWord("on")
      guard isOn || request[2].isWord("off") else { return reply.error("ERR syntax error") }
      connection.session.isNotTouching = isOn
      reply.ok()
    } else if name.isWord("reply") {
      if expects(request.count == 3) { setReplyMode(request[2], of: connection) }
    } else if name.isWord("pause") {
      if expects(request.count == 3 || request.count == 4) { pause(request) }
    } else if name.isWord("unpause") {
      guard expects(request.count == 2) else { return }
      endPause()
      reply.ok()
    } else if name.isWord("help") {
      if expects(request.count == 2) { reply.help(.client, Self.clientHelp) }
    } else {
      reply.error(request.unknownSubcommandSentence)
    }
  }

  private static let clientHelp = [
    "GETNAME",
    "    Return the name of the current connection.",
    "ID",
    "    Return the ID of the current connection.",
    "INFO",
    "    Return information about the current client connection.",
    "KILL <ip:port>",
    "    Kill connection made from <ip:port>.",
    "KILL <option> <value> [<option> <value> [...]]",
    "    Kill connections. Options are ID, ADDR, LADDR, TYPE, USER, SKIPME.",
    "LIST [options ...]",
    "    Return information about client connections. Options are TYPE, ID.",
    "NO-EVICT (ON|OFF)",
    "    Protect current client connection from eviction.",
    "NO-TOUCH (ON|OFF)",
    "    Have what the current client reads not count as used.",
    "PAUSE <timeout> [WRITE|ALL]",
    "    Suspend all, or just write, clients for <timeout> milliseconds.",
    "REPLY (ON|OFF|SKIP)",
    "    Control the replies sent to the current connection.",
    "SETINFO (LIB-NAME|LIB-VER) <value>",
    "    Name the library that the client uses.",
    "SETNAME <name>",
    "    Assign the name <name> to the current connection.",
    "UNPAUSE",
    "    Stop the current client pause, resuming traffic.",
  ]

  private func setName(_ name: RawSpan, of connection: ConnectionHandler) {
    guard Session.isValidName(name) else {
      return reply.error(Session.refusal(of: "Client names"))
    }
    connection.session.name = name.array
    reply.ok()
  }

  private func setInfo(_ request: borrowing Request, of connection: ConnectionHandler) {
    let isName = request[2].isWord("lib-name")
    guard isName || request[2].isWord("lib-ver") else {
      return reply.error("ERR Unrecognized option '\(request[2].text)'")
    }
    guard Session.isValidName(request[3]) else {
      return reply.error(Session.refusal(of: isName ? "lib-name" : "lib-ver"))
    }
    if isName {
      connection.session.libraryName = request[3].array
    } else {
      connection.session.libraryVersion = request[3].array
    }
    reply.ok()
  }

  private func list(_ request: borrowing Request, for connection: ConnectionHandler) {
    var wanted: Set<UInt64>?
    var isAnyListed = true
    if request.count == 4, request[2].isWord("type") {
      guard let isNormal = Self.isNormal(type: request[3]) else {
        return reply.error("ERR Unknown client type '\(request[3].text)'")
      }
      isAnyListed = isNormal
    } else if request.count > 3, request[2].isWord("id") {
      var ids: Set<UInt64> = []
      for index in 3..<request.count {
        guard let id = Int64(decimal: request[index]), id >= 0 else {
          return reply.error("ERR Invalid client ID")
        }
        ids.insert(UInt64(id))
      }
      wanted = ids
    } else if request.count > 2 {
      return reply.error("ERR syntax error")
    }
    var text = ""
    if isAnyListed {
      for id in connections.keys.sorted() where wanted?.contains(id) ?? true {
        if let other = connections[id] {
          text += describe(other, by: other === connection ? "client|list" : nil)
        }
      }
    }
    reply.verbatim(text)
  }

  /// A line about a client, as Redis writes it.
  private func describe(_ client: ConnectionHandler, by command: String?) -> String {
    let session = client.session
    let now = cache?.now ?? 0
    func seconds(_ since: UInt64) -> UInt64 { (now &- min(since, now)) / 1000 }
    func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    var line = "id=\(session.id) addr=\(client.remoteText ?? "?")"
    line += " laddr=\(client.localText ?? "?") fd=\(client.descriptor)"
    line += " name=\(text(session.name)) age=\(seconds(client.connectTime))"
    line += " idle=\(seconds(client.lastTime)) flags=\(session.transaction == nil ? "N" : "x")"
    line += " db=\(session.database) sub=0 psub=0 ssub=0"
    line += " multi=\(session.transaction?.requests.count ?? -1)"
    line += " qbuf=\(client.inputByteCount)"
    line += " qbuf-free=\(max(client.inputCapacity - client.inputByteCount, 0))"
    line += " argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0"
    line += " tot-mem=\(client.inputCapacity) events=r"
    line += " cmd=\(command ?? session.lastCommandName ?? "NULL") user=default redir=-1"
    line += " resp=\(session.isRESP3 ? 3 : 2)"
    line += " lib-name=\(text(session.libraryName)) lib-ver=\(text(session.libraryVersion))\n"
    return line
  }
}
