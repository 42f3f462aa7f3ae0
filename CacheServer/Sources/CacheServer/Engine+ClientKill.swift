internal import CacheCore
internal import NIOCore
internal import RESP

extension Engine {
  /// Which clients `CLIENT KILL` is about.
  private struct Target {
    var id: UInt64?
    var remote: String?
    var local: String?
    var isNormal = true
    var skipsMe = true
  }

  /// `CLIENT KILL address`, `CLIENT KILL option value …`.
  func kill(_ request: borrowing Request, for connection: ConnectionHandler) {
    guard request.count > 3 else {
      let address = request[2].text
      let found = connections.values.first { $0.remoteText == address }
      guard let found else { return reply.error("ERR No such client") }
      close(found, for: connection)
      return reply.ok()
    }
    guard request.count % 2 == 0 else { return reply.error("ERR syntax error") }
    var target = Target()
    for index in stride(from: 2, to: request.count, by: 2) {
      if let error = read(request[index], request[index + 1], into: &target) {
        return reply.error(error)
      }
    }
    var count = 0
    for client in Array(connections.values) where matches(client, target) {
      guard !(target.skipsMe && client === connection) else { continue }
      close(client, for: connection)
      count += 1
    }
    reply.integer(count)
  }

  /// Reads an option, or returns the error for an unknown one.
  private func read(
    _ option: RawSpan, _ value: RawSpan, into target: inout Target
  ) -> String? {
    if option.isWord("id") {
      guard let id = Int64(decimal: value), id > 0 else {
        return "ERR client-id should be greater than 0"
      }
      target.id = UInt64(id)
    } else if option.isWord("addr") {
      target.remote = value.text
    } else if option.isWord("laddr") {
      target.local = value.text
    } else if option.isWord("type") {
      guard let isNormal = Self.isNormal(type: value) else {
        return "ERR Unknown client type '\(value.text)'"
      }
      target.isNormal = isNormal
    } else if option.isWord("user") {
      guard value.text == "default" else { return "ERR No such user '\(value.text)'" }
    } else if option.isWord("skipme"), value.isWord("yes") || value.isWord("no") {
      target.skipsMe = value.isWord("yes")
    } else {
      return "ERR syntax error"
    }
    return nil
  }

  private func matches(_ client: ConnectionHandler, _ target: Target) -> Bool {
    guard target.isNormal else { return false }
    if let id = target.id, id != client.session.id { return false }
    if let remote = target.remote, remote != client.remoteText { return false }
    if let local = target.local, local != client.localText { return false }
    return true
  }

  private func close(_ client: ConnectionHandler, for connection: ConnectionHandler) {
    // A client that ends itself gets the reply first.
    if client === connection { client.markClosing() } else { client.abandon() }
  }

  /// Whether clients of that type are those that there are; nil where Redis knows no such type.
  static func isNormal(type: RawSpan) -> Bool? {
    switch type.text.lowercased() {
    case "normal": true
    case "master", "replica", "slave", "pubsub": false
    default: nil
    }
  }
}

extension ConnectionHandler {
  /// The client's address, and the one that it has connected to.
  var remoteText: String? { address(isRemote: true).map(Self.text) }
  var localText: String? { address(isRemote: false).map(Self.text) }

  private func address(isRemote: Bool) -> SocketAddress? {
    if let channel { return isRemote ? channel.remoteAddress : channel.localAddress }
    // It was handed over, and its event loop has not made the channel yet.
    return descriptor >= 0 ? SystemCalls.address(of: descriptor, isRemote: isRemote) : nil
  }

  /// An address as Redis writes it.
  private static func text(_ address: SocketAddress) -> String {
    // The client's end of a UNIX socket has no name.
    if case .unixDomainSocket = address { return "\(address.pathname ?? ""):0" }
    let ip = address.ipAddress ?? "?"
    let port = address.port.map(String.init) ?? "?"
    return ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
  }
}
