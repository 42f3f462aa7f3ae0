internal import CacheCore
internal import NIOCore

/// What goes with the memory to the successor, and is in no file: the settings, the listening sockets,
/// and how many clients follow.
///
/// The numbers are in network byte order; strings follow their lengths. The settings are pairs of strings, as
/// `CONFIG SET` takes them: a successor leaves those out that it does not know.
struct HandoverState: Equatable {
  static let magic: UInt32 = 0x4b43_4831
  /// A version may add fields behind those of this one, and keeps the number then.
  static let version: UInt32 = 2

  var settings: Settings
  var nextClientID: UInt64
  var clientCount: UInt32
  /// What the listening sockets are, in the order in which they follow.
  var endpoints: [Endpoint]
  /// The numbers of the clients that were sent ahead and that the successor drops: they have disconnected, or follow
  /// later.
  var droppedClients: [UInt64] = []
  /// How many of the clients that were sent ahead have changed since. Their states follow those of the new clients.
  var changedCount: UInt32 = 0

  /// The name under which a listening socket is passed on.
  static func listenerName(_ index: Int) -> String { "listener-\(index)" }

  var frame: ByteBuffer {
    var frame = ByteBuffer()
    frame.writeInteger(Self.magic)
    frame.writeInteger(Self.version)
    frame.writeInteger(UInt32(Directive.all.count))
    for directive in Directive.all {
      frame.writeCounted(Array(directive.name.utf8))
      frame.writeCounted(Array(directive.value(in: settings).utf8))
    }
    frame.writeInteger(nextClientID)
    frame.writeInteger(clientCount)
    frame.writeInteger(UInt32(endpoints.count))
    for endpoint in endpoints { frame.write(endpoint) }
    frame.writeInteger(UInt32(droppedClients.count))
    for id in droppedClients { frame.writeInteger(id) }
    frame.writeInteger(changedCount)
    return frame
  }

  // MARK: Frames before it

  private static let aheadMagic: UInt32 = 0x4b43_4841

  /// The frame that a successor sends before its acknowledgement, to report that it takes clients before the memory,
  /// and again each time that it has taken the clients of one step.
  static var greeting: ByteBuffer { ByteBuffer(integer: aheadMagic) }

  /// The frame that announces `count` clients before the memory.
  static func ahead(_ count: Int) -> ByteBuffer {
    var frame = greeting
    frame.writeInteger(UInt32(count))
    return frame
  }

  /// How many clients the frame announces, or `nil` for another frame.
  static func aheadCount(_ frame: ByteBuffer) -> Int? {
    var frame = frame
    guard frame.readableBytes == 8, frame.readInteger() == aheadMagic else { return nil }
    return frame.readInteger(as: UInt32.self).map(Int.init)
  }
}

extension HandoverState {
  init(parsing frame: ByteBuffer) throws(HandoverStateError) {
    var frame = frame
    guard frame.readInteger() == Self.magic else { throw .malformed }
    guard let version = frame.readInteger(as: UInt32.self) else { throw .malformed }
    guard version == Self.version else { throw .unknownVersion(version) }
    var settings = Settings()
    guard let settingCount = frame.readInteger(as: UInt32.self) else { throw .malformed }
    for _ in 0..<settingCount {
      guard let name = frame.readText(), let value = frame.readText() else { throw .malformed }
      guard let directive = Directive.named(name) else { continue }
      do throws(DirectiveRefusal) { try directive.set(value, in: &settings) } catch {
        throw .malformed
      }
    }
    guard let nextClientID = frame.readInteger(as: UInt64.self),
      let clientCount = frame.readInteger(as: UInt32.self),
      let endpointCount = frame.readInteger(as: UInt32.self)
    else { throw .malformed }
    self.settings = settings
    self.nextClientID = nextClientID
    self.clientCount = clientCount
    endpoints = []
    for _ in 0..<endpointCount { endpoints.append(try frame.readEndpoint()) }
    // The state of an earlier version, which sends no clients ahead, ends here.
    guard frame.readableBytes > 0 else { return }
    guard let droppedCount = frame.readInteger(as: UInt32.self),
      Int(droppedCount) <= frame.readableBytes / 8
    else { throw .malformed }
    for _ in 0..<droppedCount {
      guard let id = frame.readInteger(as: UInt64.self) else { throw .malformed }
      droppedClients.append(id)
    }
    guard let changedCount = frame.readInteger(as: UInt32.self) else { throw .malformed }
    self.changedCount = changedCount
  }
}

/// Why the state that a predecessor sent cannot be read.
enum HandoverStateError: ErrorForPeople, Equatable {
  /// No version writes such a frame.
  case malformed
  /// An unknown version of the server has written it.
  case unknownVersion(UInt32)

  var sentence: String {
    switch self {
    case .malformed: "it is not what any version of this server writes"
    case .unknownVersion(let version):
      "it is of version \(version), and this server reads version \(HandoverState.version)"
    }
  }
}

extension ByteBuffer {
  fileprivate mutating func write(_ endpoint: Endpoint) {
    writeCounted(Array(endpoint.service.rawValue.utf8))
    switch endpoint.address {
    case .internet(let host, let port):
      writeInteger(0 as UInt8)
      writeCounted(Array(host.utf8))
      writeInteger(UInt32(port))
    case .local(let path, let mode):
      writeInteger(1 as UInt8)
      writeCounted(Array(path.utf8))
      writeInteger(mode ?? .max)
    }
  }

  fileprivate mutating func readEndpoint() throws(HandoverStateError) -> Endpoint {
    guard let name = readText(), let service = Endpoint.Service(rawValue: name),
      let kind = readInteger(as: UInt8.self), let text = readText(),
      let number = readInteger(as: UInt32.self), kind <= 1
    else { throw .malformed }
    guard kind == 0 else {
      return Endpoint(service, .local(path: text, mode: number == .max ? nil : number))
    }
    guard let port = UInt16(exactly: number) else { throw .malformed }
    return Endpoint(service, .internet(host: text, port: port))
  }

  mutating func writeCounted(_ bytes: [UInt8]) {
    writeInteger(UInt32(bytes.count))
    writeBytes(bytes)
  }

  /// The bytes behind their length; nil where they are not all there.
  mutating func readCounted() -> [UInt8]? {
    guard let count = readInteger(as: UInt32.self), Int(count) <= readableBytes else { return nil }
    return readBytes(length: Int(count))
  }

  /// The text behind its length.
  fileprivate mutating func readText() -> String? {
    readCounted().map { String(decoding: $0, as: UTF8.self) }
  }
}
