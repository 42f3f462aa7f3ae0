// The names are those of redis_exporter and memcached_exporter, so that existing dashboards and alerts go on working.
// Figures that only this server has begin with `cache_server_`.

extension CacheStatistics {
  /// The figures in the text format of Prometheus, version 0.0.4.
  var metricsPage: String {
    var page = MetricsPage()
    addServerMetrics(&page)
    addMemoryMetrics(&page)
    addCommandMetrics(&page)
    addKeyspaceMetrics(&page)
    addHandoverMetrics(&page)
    addMemcachedMetrics(&page)
    return page.text
  }

  private func addServerMetrics(_ page: inout MetricsPage) {
    page.gauge("redis_up", "1: the server answers.", 1)
    let info = [
      MetricsPage.label("role", "master"), MetricsPage.label("redis_version", Cache.redisVersion),
      MetricsPage.label("redis_mode", "standalone"), MetricsPage.label("tcp_port", "\(facts.port)"),
      MetricsPage.label("process_id", "\(facts.processID)"),
      MetricsPage.label("maxmemory_policy", settings.policy.rawValue),
    ]
    page.add(
      "redis_instance_info", "gauge", "Version, port and policy of the server.",
      [(info.joined(separator: ","), "1")])
    page.gauge("redis_process_id", "The id of the process.", facts.processID)
    page.gauge(
      "redis_uptime_in_seconds", "Seconds since the process began to serve.",
      uptime)
    page.gauge(
      "redis_start_time_seconds", "When the process began to serve, in seconds since 1970.",
      facts.startTime / 1000)
    page.gauge("redis_connected_clients", "Clients that are connected.", facts.clientCount)
    page.gauge(
      "redis_blocked_clients", "Clients that wait for the end of a pause.", facts.blockedCount)
    page.gauge(
      "redis_config_maxclients", "The most clients that may be connected.", facts.clientLimit)
    page.counter(
      "redis_connections_received_total", "Clients that have connected.",
      figures.connectionCount)
    page.counter(
      "redis_rejected_connections_total",
      "Clients that were refused because too many were connected.",
      facts.rejectedCount)
    let time = facts.processorTime
    for (name, mode, microseconds) in [
      ("sys", "in the kernel", time.system), ("user", "in the program", time.user),
      ("sys_children", "in the kernel, of child processes that have ended", time.childrenSystem),
      ("user_children", "in the program, of child processes that have ended", time.childrenUser),
    ] {
      page.counter(
        "redis_cpu_\(name)_seconds_total", "Seconds of processor time \(mode).",
        Self.seconds(microseconds))
    }
    page.gauge("redis_loading_dump_file", "Always 0: the server loads no entries at its start.", 0)
    page.gauge(
      "redis_rdb_bgsave_in_progress", "1 while the memory file is being written to its disk.",
      facts.isSaving ? 1 : 0)
    page.gauge(
      "redis_rdb_last_save_timestamp_seconds",
      "When the memory file was written to its disk, in seconds since 1970.",
      (isOnDisk ? facts.saveTime : now) / 1000)
  }

  private func addMemoryMetrics(_ page: inout MetricsPage) {
    page.gauge("redis_memory_used_bytes", "Bytes that the entries take.", byteCount)
    page.gauge(
      "redis_memory_used_peak_bytes", "The most bytes that the entries took in this process.",
      peakByteCount)
    page.gauge(
      "redis_memory_used_rss_bytes", "Resident memory of the process, in bytes.",
      facts.residentByteCount)
    page.gauge(
      "redis_memory_max_bytes",
      "maxmemory: the most bytes that the entries may take; 0 for no limit.",
      settings.maximumByteCount)
    page.gauge(
      "redis_config_maxmemory", "maxmemory, in bytes; 0 for no limit.", settings.maximumByteCount)
    page.gauge(
      "cache_server_memory_file_bytes", "The size of the memory file, in bytes.", fileByteCount)
    page.gauge(
      "cache_server_memory_file_stored_bytes",
      "Bytes of the file system that the memory file takes.",
      storedByteCount)
    page.gauge(
      "cache_server_memory_file_capacity_bytes", "The largest size of the memory file, in bytes.",
      facts.capacity)
    page.counter(
      "redis_evicted_keys_total", "Entries that were evicted because memory was short.",
      figures.evictedCount)
    page.counter(
      "redis_expired_keys_total", "Entries that were removed because their deadline had passed.",
      figures.expiredCount)
  }

  private func addCommandMetrics(_ page: inout MetricsPage) {
    page.counter(
      "redis_commands_processed_total", "Commands that were carried out.", figures.commandCount)
    page.counter(
      "redis_keyspace_hits_total", "Keys that a command read and found.", figures.hitCount)
    page.counter(
      "redis_keyspace_misses_total", "Keys that a command read and did not find.",
      figures.missCount)
    let commands = zip(Command.allCases, timing.commands).filter {
      $1.callCount > 0 || $1.refusedCount > 0
    }
    func samples(_ value: (Timing.Command) -> String) -> [(labels: String, value: String)] {
      commands.map { (MetricsPage.label("cmd", $0.name), value($1)) }
    }
    page.add(
      "redis_commands_total", "counter", "How often each command was carried out.",
      samples { "\($0.callCount)" })
    page.add(
      "redis_commands_duration_seconds_total", "counter", "Seconds that each command took.",
      samples { Self.seconds($0.microseconds) })
    page.add(
      "redis_commands_rejected_calls_total", "counter", "How often each command was refused.",
      samples { "\($0.refusedCount)" })
    page.add(
      "redis_commands_failed_calls_total", "counter", "How often each command failed.",
      samples { "\($0.failedCount)" })
    page.add(
      "redis_errors_total", "counter", "Error replies, by their first word.",
      timing.errors.sorted { $0.key < $1.key }
        .map { (MetricsPage.label("err", $0.key), "\($0.value)") })
    page.gauge("redis_slowlog_length", "Commands in the slow log.", slowCount)
  }

  private func addKeyspaceMetrics(_ page: inout MetricsPage) {
    page.add(
      "redis_db_keys", "gauge", "Entries of each database.",
      databases.map { (MetricsPage.label("db", $0.name), "\($0.keyCount)") })
    page.add(
      "redis_db_keys_expiring", "gauge", "Entries with a deadline of each database.",
      databases.map { (MetricsPage.label("db", $0.name), "\($0.expiringCount)") })
  }

  private func addHandoverMetrics(_ page: inout MetricsPage) {
    page.counter(
      "cache_server_damaged_values_total", "Values that did not match their checksums.",
      damagedValueCount)
    page.counter(
      "cache_server_upgrades_total", "How often a process handed the memory over to its successor.",
      upgradeCount)
    page.counter(
      "cache_server_crash_restarts_total", "How often a process was killed while it served.",
      crashCount)
    page.counter(
      "cache_server_generation", "How often another process took over the memory.",
      generation)
  }

  private func addMemcachedMetrics(_ page: inout MetricsPage) {
    func sample(
      _ command: String, _ status: String, _ value: UInt64
    ) -> (labels: String, value: String) {
      let labels = [MetricsPage.label("command", command), MetricsPage.label("status", status)]
      return (labels.joined(separator: ","), "\(value)")
    }
    page.add(
      "memcached_commands_total", "counter", "Commands of the memcached protocol.",
      [
        sample("get", "hit", memcached.getHits), sample("get", "miss", memcached.getMisses),
        sample("set", "hit", memcached.setCount), sample("delete", "hit", memcached.deleteHits),
        sample("delete", "miss", memcached.deleteMisses),
        sample("incr", "hit", memcached.increaseHits),
        sample("incr", "miss", memcached.increaseMisses),
        sample("decr", "hit", memcached.decreaseHits),
        sample("decr", "miss", memcached.decreaseMisses), sample("cas", "hit", memcached.casHits),
        sample("cas", "miss", memcached.casMisses),
        sample("cas", "badval", memcached.casMismatches),
        sample("touch", "hit", memcached.touchHits), sample("touch", "miss", memcached.touchMisses),
        sample("flush", "hit", memcached.flushCount),
      ])
    page.gauge(
      "memcached_current_items", "Items of the memcached protocol.",
      databases.last?.keyCount ?? 0)
    page.counter("memcached_items_total", "Items that were stored.", memcached.storedCount)
  }
}
