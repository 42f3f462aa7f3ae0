// The lines of memcached's `stats`, under the names that memcached gives them.

extension CacheStatistics {
  /// `stats`.
  var memcachedLines: [(String, String)] {
    let itemCount = databases.last?.keyCount ?? 0
    return [
      ("pid", "\(facts.processID)"),
      ("uptime", "\(uptime)"), ("time", "\(now / 1000)"),
      ("version", Cache.memcachedVersion), ("server_version", Cache.version),
      ("pointer_size", "\(Int.bitWidth)"),
      ("rusage_user", Self.seconds(facts.processorTime.user)),
      ("rusage_system", Self.seconds(facts.processorTime.system)),
      ("max_connections", "\(facts.clientLimit)"), ("curr_connections", "\(facts.clientCount)"),
      ("total_connections", "\(figures.connectionCount)"),
      ("rejected_connections", "\(facts.rejectedCount)"), ("idle_kicks", "\(facts.idleCount)"),
      ("cmd_get", "\(memcached.getCount)"),
      ("cmd_set", "\(memcached.setCount)"), ("cmd_flush", "\(memcached.flushCount)"),
      ("cmd_touch", "\(memcached.touchCount)"), ("cmd_meta", "\(memcached.metaCount)"),
      ("get_hits", "\(memcached.getHits)"), ("get_misses", "\(memcached.getMisses)"),
      ("delete_misses", "\(memcached.deleteMisses)"), ("delete_hits", "\(memcached.deleteHits)"),
      ("incr_misses", "\(memcached.increaseMisses)"), ("incr_hits", "\(memcached.increaseHits)"),
      ("decr_misses", "\(memcached.decreaseMisses)"), ("decr_hits", "\(memcached.decreaseHits)"),
      ("cas_misses", "\(memcached.casMisses)"), ("cas_hits", "\(memcached.casHits)"),
      ("cas_badval", "\(memcached.casMismatches)"), ("touch_hits", "\(memcached.touchHits)"),
      ("touch_misses", "\(memcached.touchMisses)"),
      ("store_too_large", "\(memcached.tooLargeCount)"),
      ("store_no_memory", "\(memcached.noMemoryCount)"),
      ("auth_cmds", "\(memcached.authenticationCount)"),
      ("auth_errors", "\(memcached.authenticationErrors)"), ("accepting_conns", "1"),
      ("limit_maxbytes", "\(shownByteLimit)"), ("threads", "1"),
      ("hash_is_expanding", "0"),
      ("bytes", "\(itemCount == 0 ? 0 : byteCount)"),
      ("curr_items", "\(itemCount)"),
      ("total_items", "\(memcached.storedCount)"), ("evictions", "\(evictedItemCount)"),
      ("expired_unfetched", "0"), ("reclaimed", "\(figures.expiredCount)"),
    ]
  }

  /// `stats settings`.
  var memcachedSettingLines: [(String, String)] {
    [
      ("maxbytes", "\(shownByteLimit)"), ("maxconns", "\(facts.clientLimit)"),
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
