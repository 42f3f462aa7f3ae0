internal import CacheCore
internal import NIOCore
internal import RESP

/// What goes with the memory to the successor, and is in no file: the settings, and how many clients
/// follow.
///
/// The numbers are in network byte order; strings stand behind their lengths.
struct HandoverState: Equatable {
  static let magic: UInt32 = 0x4b43_4831
  /// Another version may put something behind what this one knows, and keeps the number then.
  static let version: UInt32 = 1

  var settings: Settings
  var nextClientID: UInt64
  var clientCount: UInt32

  var frame: ByteBuffer {
    var frame = ByteBuffer()
    frame.writeInteger(Self.magic)
    frame.writeInteger(Self.version)
    frame.writeInteger(settings.maximumByteCount)
    frame.writeInteger(UInt32(settings.sampleCount))
    frame.writeCounted(Array(settings.policy.rawValue.utf8))
    frame.writeInteger(nextClientID)
    frame.writeInteger(clientCount)
    return frame
  }
}

extension HandoverState {
  init(parsing frame: ByteBuffer) throws(HandoverStateError) {
    var frame = frame
    guard frame.readInteger() == Self.magic else { throw .malformed }
    guard let version = frame.readInteger(as: UInt32.self) else { throw .malformed }
    guard version == Self.version else { throw .unknownVersion(version) }
    guard let maximum = frame.readInteger(as: UInt64.self),
      let sampleCount = frame.readInteger(as: UInt32.self).map(Int.init),
      Settings.sampleCounts.contains(sampleCount),
      let policyName = frame.readCounted(),
      let policy = Settings.Policy(rawValue: String(decoding: policyName, as: UTF8.self)),
      let nextClientID = frame.readInteger(as: UInt64.self),
      let clientCount = frame.readInteger(as: UInt32.self)
    else { throw .malformed }
    settings = Settings(maximumByteCount: maximum, policy: policy, sampleCount: sampleCount)
    self.nextClientID = nextClientID
    self.clientCount = clientCount
  }
}

/// Why a state cannot be taken over.
enum HandoverStateError: Error, Equatable {
  /// It is not what any version writes.
  case malformed
  /// A version of the server has written it that this one does not know.
  case unknownVersion(UInt32)
}

/// What a client is, beside its socket.
struct ClientState: Equatable {
  var session: Session
  var connectTime: UInt64
  var lastTime: UInt64
  /// Whether it asked for the upgrade, and is to be told that it has come about.
  var awaitsUpgrade: Bool
  /// What it has sent and is not carried out.
  var pending: ByteBuffer

  var frame: ByteBuffer {
    var frame = ByteBuffer()
    frame.writeInteger(session.id)
    var flags: UInt8 = session.isRESP3 ? 1 : 0
    if session.isNotEvicted { flags |= 2 }
    if awaitsUpgrade { flags |= 4 }
    frame.writeInteger(flags)
    frame.writeInteger(connectTime)
    frame.writeInteger(lastTime)
    frame.writeCounted(session.name)
    frame.writeCounted(session.libraryName)
    frame.writeCounted(session.libraryVersion)
    frame.writeCounted(Array((session.lastCommand?.name ?? "").utf8))
    frame.writeImmutableBuffer(pending)
    return frame
  }
}

extension ClientState {
  init(parsing frame: ByteBuffer) throws(HandoverStateError) {
    var frame = frame
    guard let id = frame.readInteger(as: UInt64.self),
      let flags = frame.readInteger(as: UInt8.self),
      let connectTime = frame.readInteger(as: UInt64.self),
      let lastTime = frame.readInteger(as: UInt64.self), let name = frame.readCounted(),
      let libraryName = frame.readCounted(), let libraryVersion = frame.readCounted(),
      let command = frame.readCounted()
    else { throw .malformed }
    session = Session(id: id)
    session.isRESP3 = flags & 1 != 0
    session.isNotEvicted = flags & 2 != 0
    session.name = name
    session.libraryName = libraryName
    session.libraryVersion = libraryVersion
    session.lastCommand = Command(rawValue: String(decoding: command, as: UTF8.self))
    self.connectTime = connectTime
    self.lastTime = lastTime
    awaitsUpgrade = flags & 4 != 0
    pending = frame.slice()
  }
}

extension ByteBuffer {
  mutating func writeCounted(_ bytes: [UInt8]) {
    writeInteger(UInt32(bytes.count))
    writeBytes(bytes)
  }

  /// The bytes behind their length; nil where they are not all there.
  mutating func readCounted() -> [UInt8]? {
    guard let count = readInteger(as: UInt32.self), Int(count) <= readableBytes else { return nil }
    return readBytes(length: Int(count))
  }
}
