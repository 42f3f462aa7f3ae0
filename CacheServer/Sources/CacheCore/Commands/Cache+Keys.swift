internal import NIOCore
internal import PersistentCollections
internal import RESP

extension Cache {
  /// `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]`.
  mutating func scan(
    _ request: borrowing Request, in number: UInt8, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    guard var cursor = Self.cursor(request[1]) else { throw .sentence("ERR invalid cursor") }
    var pattern: [UInt8]?
    var limit: Int64 = 10
    var isString = true
    var index = 2
    while index < request.count {
      guard index + 1 < request.count else { throw .syntax }
      let value = request[index + 1]
      if request[index].isWord("match") {
        pattern = value.array
      } else if request[index].isWord("count") {
        limit = try Self.integer(value)
        guard limit >= 1 else { throw .syntax }
      } else if request[index].isWord("type") {
        isString = value.isWord("string")
      } else {
        throw .syntax
      }
      index += 2
    }
    var found = KeyList(for: reply)
    let now = now
    var lookedAt: Int64 = 0
    var callCount: Int64 = 0
    do throws(PersistentCollectionError) {
      repeat {
        cursor = try map.scan(from: cursor) { key, _, metadata in
          lookedAt += 1
          guard isString, !metadata.isOver(at: now), Databases.number(of: key) == number else {
            return
          }
          found.add(Databases.name(of: key), matching: pattern)
        }
        callCount += 1
      } while cursor != 0 && lookedAt < limit && callCount / 10 < limit
    } catch {
      throw .collection(error)
    }
    reply.array(2)
    reply.bulk(String(cursor))
    found.write(to: &reply)
  }

  /// strtoul(3), of a whole string.
  private static func cursor(_ argument: RawSpan) -> UInt64? {
    guard argument.byteCount <= 21 else { return nil }
    let text = argument.text
    if text.isEmpty { return 0 }
    guard text.hasPrefix("-") else { return UInt64(text) }
    return UInt64(text.dropFirst()).map { 0 &- $0 }
  }

  /// `KEYS pattern`.
  mutating func keys(
    matching pattern: RawSpan, in number: UInt8, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let pattern: [UInt8]? = pattern.array == [UInt8(ascii: "*")] ? nil : pattern.array
    var found = KeyList(for: reply)
    let now = now
    var cursor: UInt64 = 0
    do throws(PersistentCollectionError) {
      repeat {
        cursor = try map.scan(from: cursor) { key, _, metadata in
          guard !metadata.isOver(at: now), Databases.number(of: key) == number else { return }
          found.add(Databases.name(of: key), matching: pattern)
        }
      } while cursor != 0
    } catch {
      throw .collection(error)
    }
    found.write(to: &reply)
  }

  /// `RANDOMKEY`.
  mutating func randomKey(
    in number: UInt8, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let now = now
    let count = entryCount(number)
    guard count > 0 else { return reply.null() }
    // In a cache in which a hundred in a row are over next to nothing else is left; of a small database among
    // large ones, so many more are looked at.
    let limit = 100 * min(UInt64(map.count) / count &+ 1, 1000)
    for _ in 0..<limit where map.count > 0 {
      var chosen: [UInt8]?
      var seen: UInt64 = 0
      var dice = SystemSeededGenerator()
      do throws(PersistentCollectionError) {
        try map.sample(using: &generator) { key, _, metadata in
          guard !metadata.isOver(at: now), Databases.number(of: key) == number else { return }
          seen += 1
          if dice.next() % seen == 0 { chosen = Databases.name(of: key).array }
        }
      } catch {
        throw .collection(error)
      }
      if let chosen { return reply.bulk(chosen.rawSpan) }
    }
    reply.null()
  }

  /// `TYPE key`.
  mutating func type(of key: RawSpan, _ reply: inout ReplyWriter) throws(CommandError) {
    let found = try withValueRead(of: key, touches: false, checks: false) { _, _ in true }
    if found == nil { reply.simple("none") } else { reply.simple("string") }
  }
}

/// Keys for a reply, whose number is not known before the last one is.
struct KeyList {
  private var replies = ReplyWriter()
  private var count = 0

  init(for reply: ReplyWriter) {
    replies.isRESP3 = reply.isRESP3
    replies.byteLimit = reply.byteLimit
  }

  mutating func add(_ key: RawSpan, matching pattern: [UInt8]?) {
    if let pattern {
      guard GlobPattern.matches(pattern.rawSpan, key) else { return }
    }
    replies.bulk(key)
    count += 1
  }

  mutating func write(to reply: inout ReplyWriter) {
    reply.array(count)
    guard !replies.isIncomplete,
      replies.buffer.readableBytes <= reply.byteLimit - reply.buffer.writerIndex
    else {
      reply.isIncomplete = true
      return
    }
    reply.buffer.writeBuffer(&replies.buffer)
  }
}
