internal import CacheCore
internal import NIOCore
internal import RESP

/// What a client is, beside its socket.
///
/// Its fields follow each other, each a number that says which it is, a length and its bytes. A successor
/// leaves those out that it does not know, so a version can add fields.
struct ClientState: Equatable {
  var session: Session
  var connectTime: UInt64
  var lastTime: UInt64
  /// Whether it sent `UPGRADE`, and gets the reply from the successor.
  var awaitsUpgrade: Bool
  /// Whether a key has changed that it watches.
  var areWatchesTouched: Bool
  /// What it speaks.
  var service = Endpoint.Service.redis
  /// How many bytes of a refused value it is still to send.
  var skipCount = 0
  /// What it has sent and is not carried out.
  var pending: ByteBuffer

  /// The numbers of the fields; none is ever used for something else.
  private enum Field: UInt8 {
    case id = 1
    case flags = 2
    case connectTime = 3
    case lastTime = 4
    case name = 5
    case libraryName = 6
    case libraryVersion = 7
    case lastCommand = 8
    case pending = 9
    case database = 10
    case replyMode = 11
    case watchedKeys = 12
    case queue = 13
    case service = 14
    case skipCount = 15
  }

  private struct Flags: OptionSet {
    let rawValue: UInt64
    static let isRESP3 = Flags(rawValue: 1)
    static let isNotEvicted = Flags(rawValue: 2)
    static let awaitsUpgrade = Flags(rawValue: 4)
    static let isAuthenticated = Flags(rawValue: 8)
    static let isNotTouching = Flags(rawValue: 16)
    static let isInTransaction = Flags(rawValue: 32)
    static let isAborted = Flags(rawValue: 64)
    static let areWatchesTouched = Flags(rawValue: 128)
  }

  private var flags: Flags {
    var flags: Flags = []
    if session.isRESP3 { flags.insert(.isRESP3) }
    if session.isNotEvicted { flags.insert(.isNotEvicted) }
    if awaitsUpgrade { flags.insert(.awaitsUpgrade) }
    if session.isAuthenticated { flags.insert(.isAuthenticated) }
    if session.isNotTouching { flags.insert(.isNotTouching) }
    if session.transaction != nil { flags.insert(.isInTransaction) }
    if session.transaction?.isAborted == true { flags.insert(.isAborted) }
    if areWatchesTouched { flags.insert(.areWatchesTouched) }
    return flags
  }

  var frame: ByteBuffer {
    var frame = ByteBuffer()
    func number(_ field: Field, _ value: UInt64) {
      frame.writeInteger(field.rawValue)
      frame.writeInteger(8 as UInt32)
      frame.writeInteger(value)
    }
    func bytes(_ field: Field, _ bytes: [UInt8]) {
      guard !bytes.isEmpty else { return }
      frame.writeInteger(field.rawValue)
      frame.writeCounted(bytes)
    }
    func list(_ field: Field, _ entries: [[UInt8]]) {
      guard !entries.isEmpty else { return }
      var buffer = ByteBuffer()
      for entry in entries { buffer.writeCounted(entry) }
      frame.writeInteger(field.rawValue)
      frame.writeInteger(UInt32(buffer.readableBytes))
      frame.writeImmutableBuffer(buffer)
    }
    number(.id, session.id)
    number(.flags, flags.rawValue)
    number(.connectTime, connectTime)
    number(.lastTime, lastTime)
    bytes(.name, session.name)
    bytes(.libraryName, session.libraryName)
    bytes(.libraryVersion, session.libraryVersion)
    bytes(.lastCommand, Array((session.lastCommand?.name ?? "").utf8))
    number(.database, UInt64(session.database))
    number(.replyMode, UInt64(session.replyMode.rawValue))
    bytes(.service, Array(service.rawValue.utf8))
    number(.skipCount, UInt64(skipCount))
    list(.watchedKeys, session.watchedKeys)
    // The arguments of all requests, each request after the number of its arguments.
    list(
      .queue,
      (session.transaction?.requests ?? []).flatMap {
        [Array("\($0.ranges.count)".utf8)] + $0.arguments
      })
    if pending.readableBytes > 0 {
      frame.writeInteger(Field.pending.rawValue)
      frame.writeInteger(UInt32(pending.readableBytes))
      frame.writeImmutableBuffer(pending)
    }
    return frame
  }
}

extension ClientState {
  init(parsing frame: ByteBuffer) throws(HandoverStateError) {
    var frame = frame
    var fields: [Field: ByteBuffer] = [:]
    while frame.readableBytes > 0 {
      guard let tag = frame.readInteger(as: UInt8.self),
        let count = frame.readInteger(as: UInt32.self),
        let bytes = frame.readSlice(length: Int(count))
      else { throw .malformed }
      if let field = Field(rawValue: tag) { fields[field] = bytes }
    }
    func number(_ field: Field) throws(HandoverStateError) -> UInt64 {
      guard var bytes = fields[field], let value = bytes.readInteger(as: UInt64.self) else {
        throw .malformed
      }
      return value
    }
    func bytes(_ field: Field) -> [UInt8] {
      fields[field].map { Array($0.readableBytesView) } ?? []
    }
    session = Session(id: try number(.id))
    let flags = Flags(rawValue: try number(.flags))
    session.isRESP3 = flags.contains(.isRESP3)
    session.isNotEvicted = flags.contains(.isNotEvicted)
    session.isAuthenticated = flags.contains(.isAuthenticated)
    session.name = bytes(.name)
    session.libraryName = bytes(.libraryName)
    session.libraryVersion = bytes(.libraryVersion)
    session.lastCommand = Command(rawValue: String(decoding: bytes(.lastCommand), as: UTF8.self))
    func list(_ field: Field) throws(HandoverStateError) -> [[UInt8]] {
      guard var buffer = fields[field] else { return [] }
      var entries: [[UInt8]] = []
      while buffer.readableBytes > 0 {
        guard let entry = buffer.readCounted() else { throw .malformed }
        entries.append(entry)
      }
      return entries
    }
    session.isNotTouching = flags.contains(.isNotTouching)
    guard let database = Int(exactly: try number(.database)), (0..<16).contains(database),
      let mode = UInt8(exactly: try number(.replyMode)),
      let replyMode = Session.ReplyMode(rawValue: mode)
    else { throw .malformed }
    session.database = database
    session.replyMode = replyMode
    session.watchedKeys = try list(.watchedKeys)
    if flags.contains(.isInTransaction) {
      session.transaction = try Self.transaction(
        list(.queue), isAborted: flags.contains(.isAborted))
    }
    areWatchesTouched = flags.contains(.areWatchesTouched)
    connectTime = try number(.connectTime)
    lastTime = try number(.lastTime)
    awaitsUpgrade = flags.contains(.awaitsUpgrade)
    pending = fields[.pending] ?? ByteBuffer()
    if fields[.service] != nil {
      let name = String(decoding: bytes(.service), as: UTF8.self)
      guard let found = Endpoint.Service(rawValue: name) else { throw .malformed }
      service = found
    }
    if fields[.skipCount] != nil {
      guard let count = Int(exactly: try number(.skipCount)) else { throw .malformed }
      skipCount = count
    }
  }

  /// The requests of a transaction, each after the number of its arguments.
  private static func transaction(
    _ words: [[UInt8]], isAborted: Bool
  ) throws(HandoverStateError) -> Transaction {
    var transaction = Transaction()
    transaction.isAborted = isAborted
    var rest = words[...]
    while let first = rest.popFirst() {
      guard let count = Int(String(decoding: first, as: UTF8.self)), count > 0,
        count <= rest.count
      else { throw .malformed }
      transaction.requests.append(Transaction.Queued(Array(rest.prefix(count))))
      rest = rest.dropFirst(count)
    }
    return transaction
  }
}
