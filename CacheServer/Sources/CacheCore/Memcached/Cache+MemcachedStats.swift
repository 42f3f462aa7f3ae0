internal import KexecHandover
public import MemcachedProtocol
internal import PersistentCollections
public import RESP

// `stats`: figures under the names that memcached gives them. What this server does not have, such as slab
// classes and threads, is not listed.

extension Cache {
  /// Writes what `stats [which]` asks for.
  public func writeMemcachedStatistics(
    _ bytes: RawSpan, _ parser: borrowing MemcachedParser, _ facts: ServerFacts,
    _ reply: inout ReplyWriter
  ) {
    guard parser.wordCount > 1 else {
      write(generalStatistics(facts), &reply)
      return
    }
    let name = parser.word(1, in: bytes)
    if name.isExactly("settings") {
      write(settingStatistics(facts), &reply)
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
  private func dumpItems(_ limit: Int, _ reply: inout ReplyWriter) {
    var left = limit == 0 ? 1000 : limit
    var entriesLeft = 20_000
    var cursor: UInt64 = 0
    let now = now
    repeat {
      let next = try? map.scan(from: cursor) { key, value, notes in
        entriesLeft -= 1
        guard left > 0, Databases.number(of: key) == Databases.memcached, !notes.isOver(at: now),
          value.byteCount >= MemcachedItem.headerByteCount
        else { return }
        left -= 1
        reply.part("ITEM ")
        reply.part(Databases.name(of: key))
        let byteCount = value.byteCount - MemcachedItem.headerByteCount
        reply.textLine(" [\(byteCount) b; \(notes.deadline / 1000) s]")
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

  private var evictedItemCount: UInt64 {
    figures.evictedCount &- min(memcachedEvictedBase, figures.evictedCount)
  }

  private func generalStatistics(_ facts: ServerFacts) -> [(String, String)] {
    let counts = memcachedFigures
    func seconds(_ microseconds: UInt64) -> String {
      let rest = String(microseconds % 1_000_000)
      return "\(microseconds / 1_000_000).\(String(repeating: "0", count: 6 - rest.count))\(rest)"
    }
    return [
      ("pid", "\(facts.processID)"),
      ("uptime", "\((now &- min(facts.startTime, now)) / 1000)"), ("time", "\(now / 1000)"),
      ("version", Self.memcachedVersion), ("server_version", Self.version),
      ("pointer_size", "\(Int.bitWidth)"),
      ("rusage_user", seconds(facts.processorTime.user)),
      ("rusage_system", seconds(facts.processorTime.system)),
      ("max_connections", "\(facts.clientLimit)"), ("curr_connections", "\(facts.clientCount)"),
      ("total_connections", "\(figures.connectionCount)"),
      ("rejected_connections", "\(facts.rejectedCount)"), ("cmd_get", "\(counts.getCount)"),
      ("cmd_set", "\(counts.setCount)"), ("cmd_flush", "\(counts.flushCount)"),
      ("cmd_touch", "\(counts.touchCount)"), ("cmd_meta", "\(counts.metaCount)"),
      ("get_hits", "\(counts.getHits)"), ("get_misses", "\(counts.getMisses)"),
      ("delete_misses", "\(counts.deleteMisses)"), ("delete_hits", "\(counts.deleteHits)"),
      ("incr_misses", "\(counts.increaseMisses)"), ("incr_hits", "\(counts.increaseHits)"),
      ("decr_misses", "\(counts.decreaseMisses)"), ("decr_hits", "\(counts.decreaseHits)"),
      ("cas_misses", "\(counts.casMisses)"), ("cas_hits", "\(counts.casHits)"),
      ("cas_badval", "\(counts.casMismatches)"), ("touch_hits", "\(counts.touchHits)"),
      ("touch_misses", "\(counts.touchMisses)"),
      ("store_too_large", "\(counts.tooLargeCount)"),
      ("store_no_memory", "\(counts.noMemoryCount)"),
      ("auth_cmds", "\(counts.authenticationCount)"),
      ("auth_errors", "\(counts.authenticationErrors)"), ("accepting_conns", "1"),
      ("limit_maxbytes", "\(byteLimit == .max ? 0 : byteLimit)"), ("threads", "1"),
      ("hash_is_expanding", "0"),
      ("bytes", "\(entryCount(Databases.memcached) == 0 ? 0 : byteCount)"),
      ("curr_items", "\(entryCount(Databases.memcached))"),
      ("total_items", "\(counts.storedCount)"), ("evictions", "\(evictedItemCount)"),
      ("expired_unfetched", "0"), ("reclaimed", "\(figures.expiredCount)"),
    ]
  }

  private func settingStatistics(_ facts: ServerFacts) -> [(String, String)] {
    [
      ("maxbytes", "\(byteLimit == .max ? 0 : byteLimit)"), ("maxconns", "\(facts.clientLimit)"),
      ("tcpport", "\(facts.memcachedPort)"), ("udpport", "0"), ("inter", facts.memcachedAddress),
      ("verbosity", "0"), ("oldest", "0"),
      ("evictions", settings.policy == .noeviction ? "off" : "on"),
      ("domain_socket", facts.memcachedSocket.isEmpty ? "NULL" : facts.memcachedSocket),
      ("item_size_max", "\(settings.memcachedItemByteLimit)"), ("cas_enabled", "yes"),
      ("auth_enabled_sasl", "no"),
      ("auth_enabled_ascii", settings.password.isEmpty ? "no" : "yes"),
      ("shutdown_command", "no"), ("flush_enabled", "yes"), ("binding_protocol", "ascii"),
      ("idle_timeout", "\(settings.idleSeconds)"), ("tcp_backlog", "\(facts.backlog)"),
      ("num_threads", "1"),
    ]
  }
}
