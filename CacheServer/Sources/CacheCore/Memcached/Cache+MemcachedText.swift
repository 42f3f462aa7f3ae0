internal import MemcachedProtocol
internal import PersistentCollections
internal import RESP

// The text commands of the memcached protocol.

extension Cache {
  /// `set`, `add`, `replace`, `append`, `prepend`: `key flags exptime bytes [noreply]`, and
  /// `cas key flags exptime bytes cas [noreply]`, with a value behind the line.
  mutating func storeCommand(
    _ verb: MemcachedVerb, _ bytes: RawSpan, _ parser: inout MemcachedParser,
    _ reply: inout ReplyWriter, _ isQuiet: inout Bool
  ) throws(CommandError) -> MemcachedOutcome {
    let least = verb == .cas ? 6 : 5
    guard parser.wordCount == least || parser.wordCount == least + 1 else {
      reply.line("ERROR")
      return .done
    }
    isQuiet = parser.isQuiet(in: bytes)
    let name = parser.word(1, in: bytes)
    guard name.byteCount <= MemcachedParser.keyByteLimit,
      let flags = UInt64(digits: parser.word(2, in: bytes)).flatMap({ UInt32(exactly: $0) }),
      let lifetime = Int64(digits: parser.word(3, in: bytes)),
      let length = UInt64(digits: parser.word(4, in: bytes)), length <= UInt64(Int32.max) - 2
    else {
      reply.line("CLIENT_ERROR bad command line format")
      return .done
    }
    var cas: UInt64?
    if verb == .cas {
      guard let number = UInt64(digits: parser.word(5, in: bytes)) else {
        reply.line("CLIENT_ERROR bad command line format")
        return .done
      }
      cas = number
    }
    let key = MemcachedKey(name)
    guard settings.fitsItem(keyByteCount: name.byteCount, Int(length)) else {
      parser.skip(Int(length) + 2)
      memcachedFigures.tooLargeCount &+= 1
      // An old value would be taken for the new one.
      if verb == .set { try delete(key.rawSpan) }
      reply.line("SERVER_ERROR object too large for cache")
      return .done
    }
    guard parser.takeData(Int(length), in: bytes) else {
      isQuiet = false
      return .incomplete
    }
    guard parser.isDataEnded(in: bytes) else {
      reply.line("CLIENT_ERROR bad data chunk")
      return .done
    }
    let mode: StoreMode =
      switch verb {
      case .add: .add
      case .replace: .replace
      case .append: .append
      case .prepend: .prepend
      default: .set
      }
    let result: StoreResult
    do throws(CommandError) {
      result = try storeItem(
        mode, at: key.rawSpan, parser.data(in: bytes), flags: flags,
        deadline: itemDeadline(lifetime), cas: cas)
    } catch {
      if verb == .set { try delete(key.rawSpan) }
      throw error
    }
    switch result {
    case .stored: reply.line("STORED")
    case .notStored: reply.line("NOT_STORED")
    case .exists: reply.line("EXISTS")
    case .notFound: reply.line("NOT_FOUND")
    }
    return .done
  }

  /// `incr key delta [noreply]`, `decr key delta [noreply]`.
  mutating func countCommand(
    _ verb: MemcachedVerb, _ bytes: RawSpan, _ parser: borrowing MemcachedParser,
    _ reply: inout ReplyWriter
  ) throws(CommandError) {
    guard parser.wordCount == 3 || parser.wordCount == 4 else { return reply.line("ERROR") }
    guard let key = memcachedKey(bytes, parser, &reply) else { return }
    guard let delta = UInt64(digits: parser.word(2, in: bytes)) else {
      return reply.line("CLIENT_ERROR invalid numeric delta argument")
    }
    switch try countItem(at: key.rawSpan, delta, isIncrease: verb == .incr) {
    case .changed(let value, _, _): reply.numberLine(value)
    case .notFound: reply.line("NOT_FOUND")
    case .exists: reply.line("EXISTS")
    case .notNumber:
      reply.line("CLIENT_ERROR cannot increment or decrement non-numeric value")
    }
  }

  /// The key in the second word; nil where it is too long, which is answered.
  private func memcachedKey(
    _ bytes: RawSpan, _ parser: borrowing MemcachedParser, _ reply: inout ReplyWriter
  ) -> MemcachedKey? {
    let name = parser.word(1, in: bytes)
    guard name.byteCount <= MemcachedParser.keyByteLimit else {
      reply.line("CLIENT_ERROR bad command line format")
      return nil
    }
    return MemcachedKey(name)
  }

  /// `delete key [0] [noreply]`.
  mutating func deleteCommand(
    _ bytes: RawSpan, _ parser: borrowing MemcachedParser, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let count = parser.wordCount
    guard count >= 2, count <= 4 else { return reply.line("ERROR") }
    if count > 2 {
      let isZero = parser.word(2, in: bytes).isExactly("0")
      let isQuiet = parser.isQuiet(in: bytes)
      guard count == 3 ? isZero || isQuiet : isZero && isQuiet else {
        return reply.line(
          "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]")
      }
    }
    guard let key = memcachedKey(bytes, parser, &reply) else { return }
    guard try itemFacts(of: key.rawSpan) != nil, try delete(key.rawSpan) else {
      memcachedFigures.deleteMisses &+= 1
      return reply.line("NOT_FOUND")
    }
    memcachedFigures.deleteHits &+= 1
    reply.line("DELETED")
  }

  /// `touch key exptime [noreply]`.
  mutating func touchCommand(
    _ bytes: RawSpan, _ parser: borrowing MemcachedParser, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    guard parser.wordCount == 3 || parser.wordCount == 4 else { return reply.line("ERROR") }
    guard let key = memcachedKey(bytes, parser, &reply) else { return }
    guard let lifetime = Int64(digits: parser.word(2, in: bytes)) else {
      return reply.line("CLIENT_ERROR invalid exptime argument")
    }
    memcachedFigures.touchCount &+= 1
    guard try withItem(of: key.rawSpan, touches: true, { _, _ in true }) != nil else {
      memcachedFigures.touchMisses &+= 1
      return reply.line("NOT_FOUND")
    }
    memcachedFigures.touchHits &+= 1
    try setItemDeadline(itemDeadline(lifetime), of: key.rawSpan)
    reply.line("TOUCHED")
  }

  /// `flush_all [exptime] [noreply]`.
  mutating func flushCommand(
    _ bytes: RawSpan, _ parser: borrowing MemcachedParser, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    guard parser.wordCount <= 3 else { return reply.line("ERROR") }
    var time: UInt64?
    if parser.wordCount > 1, !parser.word(1, in: bytes).isExactly("noreply") {
      guard let lifetime = Int64(digits: parser.word(1, in: bytes)) else {
        return reply.line("CLIENT_ERROR invalid exptime argument")
      }
      // 0, and what has passed, are now.
      if let deadline = itemDeadline(lifetime), deadline != 0 { time = deadline }
    }
    memcachedFigures.flushCount &+= 1
    try flushItems(at: time)
    reply.line("OK")
  }
}
