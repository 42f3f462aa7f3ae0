public import MemcachedProtocol
internal import PersistentCollections
internal import ProcessHandover
public import RESP

// `stats`: figures under the names that memcached gives them. What this server does not have, such as slab
// classes and threads, is not listed.

extension Cache {
  /// Writes what `stats [which]` asks for.
  public mutating func writeMemcachedStatistics(
    _ bytes: RawSpan, _ parser: borrowing MemcachedParser, _ facts: ServerFacts,
    _ reply: inout ReplyWriter
  ) {
    guard parser.wordCount > 1 else {
      write(statistics(facts).memcachedLines, &reply)
      return
    }
    let name = parser.word(1, in: bytes)
    if name.isExactly("settings") {
      write(statistics(facts).memcachedSettingLines, &reply)
    } else if name.isExactly("items") {
      let count = entryCount(Databases.memcached)
      write(
        count == 0
          ? []
          : [
            ("items:1:number", "\(count)"), ("items:1:evicted", "\(evictedItemCount)"),
            ("items:1:outofmemory", "\(memcachedFigures.noMemoryCount)"),
          ], &reply)
    } else if name.isExactly("slabs") {
      write([("active_slabs", "1"), ("total_malloced", "\(byteCount)")], &reply)
    } else if name.isExactly("sizes") || name.isExactly("conns") || name.isExactly("detail") {
      write([], &reply)
    } else if name.isExactly("cachedump") {
      let limit = parser.wordCount > 3 ? UInt64(digits: parser.word(3, in: bytes)) : nil
      dumpItems(Int(min(limit ?? 0, 1000)), &reply)
    } else {
      reply.line("ERROR")
    }
  }

  /// Writes the keys of some items. All items are of one class, and only so many entries are looked at that no
  /// other client waits for long.
  private mutating func dumpItems(_ limit: Int, _ reply: inout ReplyWriter) {
    var left = limit == 0 ? 1000 : limit
    var entriesLeft = 20_000
    var cursor: UInt64 = 0
    let now = now
    repeat {
      let next = try? map.scan(from: cursor) { key, value, metadata in
        entriesLeft -= 1
        guard left > 0, Databases.number(of: key) == Databases.memcached, !metadata.isOver(at: now),
          value.byteCount >= MemcachedItem.headerByteCount
        else { return }
        left -= 1
        reply.part("ITEM ")
        reply.part(Databases.name(of: key))
        let byteCount = MemcachedItem.byteCount(of: value, metadata)
        reply.textLine(" [\(byteCount) b; \(metadata.deadline / 1000) s]")
      }
      guard let next else { break }
      cursor = next
    } while cursor != 0 && left > 0 && entriesLeft > 0
    reply.line("END")
  }

  private func write(_ lines: [(String, String)], _ reply: inout ReplyWriter) {
    for (name, value) in lines { reply.textLine("STAT \(name) \(value)") }
    reply.line("END")
  }

  /// How many items were evicted since the figures began.
  var evictedItemCount: UInt64 {
    figures.evictedCount &- min(memcachedEvictedBase, figures.evictedCount)
  }
}
