internal import PersistentCollections
internal import RESP

extension Cache {
  /// `GET key`.
  @inline(__always)
  mutating func get(_ key: RawSpan, _ reply: inout ReplyWriter) throws(CommandError) {
    if try withValueRead(of: key, { value, _ in reply.bulk(value) }) == nil { reply.null() }
  }

  /// `GETDEL key`.
  mutating func getAndDelete(_ key: RawSpan, _ reply: inout ReplyWriter) throws(CommandError) {
    guard try withValueRead(of: key, { value, _ in reply.bulk(value) }) != nil else {
      reply.null()
      return
    }
    try delete(key)
  }

  /// `GETSET key value`.
  mutating func getAndSet(
    _ key: RawSpan, _ value: RawSpan, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    try get(key, &reply)
    try store(value, at: key)
  }

  /// `SETNX key value`.
  mutating func setIfNew(
    _ key: RawSpan, _ value: RawSpan, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    guard try deadline(at: key) == nil else {
      reply.integer(0)
      return
    }
    try store(value, at: key)
    reply.integer(1)
  }

  /// `STRLEN key`.
  mutating func length(of key: RawSpan, _ reply: inout ReplyWriter) throws(CommandError) {
    reply.integer(try withValueRead(of: key) { value, _ in value.byteCount } ?? 0)
  }

  /// `APPEND key value`.
  mutating func append(
    _ bytes: RawSpan, to key: RawSpan, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let found = try withEntry(of: key, touches: !isNotTouching) { value, metadata in
      (value.byteCount, metadata.deadline, metadata.hasChecksum)
    }
    guard let (byteCount, deadline, hasChecksum) = found else {
      try store(bytes, at: key)
      reply.integer(bytes.byteCount)
      return
    }
    let sum = byteCount + bytes.byteCount
    guard sum <= RequestParser.bulkByteLimit else { throw .tooLong }
    if bytes.byteCount > 0, hasChecksum || settings.checksValues {
      // The checksum is of the whole value, which is stored anew.
      let old = try withValue(of: key) { value, _ in value.array } ?? []
      try store((old + bytes.array).rawSpan, at: key, deadline: deadline)
    } else if bytes.byteCount > 0 {
      // A copy gets a quarter more room.
      try store(at: key, deadline: deadline, byteCount: key.byteCount + sum + sum / 4) {
        (map, metadata) throws(PersistentCollectionError) in
        // Evicted meanwhile, it is a new one, which goes when the old one would have.
        guard try map.append(bytes, to: key) == nil else { return false }
        return try map.setValue(bytes, of: key, metadata: metadata)
      }
    }
    reply.integer(try withValue(of: key) { value, _ in value.byteCount } ?? sum)
  }

  /// `GETRANGE key start end`.
  mutating func getRange(
    _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let first = try Self.integer(request[2])
    let last = try Self.integer(request[3])
    let isFound: Void? = try withValueRead(of: request[1]) { value, _ in
      let count = Int64(value.byteCount)
      // Both count from the end where they are negative.
      let start = max(first < 0 ? count &+ first : first, 0)
      let end = min(last < 0 ? max(count &+ last, 0) : last, count &- 1)
      guard first >= 0 || last >= 0 || first <= last, start <= end, count > 0 else {
        reply.bulk(value.extracting(first: 0))
        return
      }
      reply.bulk(value.extracting(Int(start)..<Int(end) + 1))
    }
    if isFound == nil { reply.bulk("") }
  }

  /// `SETRANGE key offset value`.
  mutating func setRange(
    _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let offset = try Self.integer(request[2])
    guard offset >= 0 else { throw .sentence("ERR offset is out of range") }
    let key = request[1]
    let bytes = request[3]
    let found = try withValue(of: key) { value, deadline in
      (old: value.array, deadline: deadline)
    }
    guard bytes.byteCount > 0 else {
      reply.integer(found?.old.count ?? 0)
      return
    }
    guard offset <= Int64(RequestParser.bulkByteLimit - bytes.byteCount) else { throw .tooLong }
    var new = found?.old ?? []
    let end = Int(offset) + bytes.byteCount
    if new.count < end { new.append(contentsOf: repeatElement(0, count: end - new.count)) }
    new.replaceSubrange(Int(offset)..<end, with: bytes.array)
    try store(new.rawSpan, at: key, deadline: found?.deadline ?? 0)
    reply.integer(new.count)
  }
}
