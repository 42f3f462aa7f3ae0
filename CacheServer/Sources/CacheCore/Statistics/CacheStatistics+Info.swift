// INFO: sections of lines, under the names that Redis gives them.

extension CacheStatistics {
  /// The sections that `INFO` writes by default.
  private static let sections = [
    "server", "clients", "memory", "persistence", "stats", "replication", "cpu", "errorstats",
    "keyspace", "handover",
  ]
  /// The sections that `INFO` writes only for their names, `all` or `everything`.
  private static let rareSections = ["commandstats"]

  /// The text of the sections with these names, or of the default ones for an empty list.
  func info(_ names: [String]) -> String {
    var wanted = Set(names)
    if names.isEmpty || !wanted.isDisjoint(with: ["all", "default", "everything"]) {
      wanted.formUnion(Self.sections)
    }
    if !wanted.isDisjoint(with: ["all", "everything"]) { wanted.formUnion(Self.rareSections) }
    var text = ""
    for section in Self.sections + Self.rareSections where wanted.contains(section) {
      if !text.isEmpty { text += "\r\n" }
      text += "# \(Self.title(of: section))\r\n"
      for (name, value) in lines(of: section) { text += "\(name):\(value)\r\n" }
    }
    return text
  }

  private static func title(of section: String) -> String {
    section == "cpu" ? "CPU" : section.prefix(1).uppercased() + section.dropFirst()
  }

  private func lines(of section: String) -> [(String, String)] {
    switch section {
    case "server": serverLines()
    case "clients":
      [
        ("connected_clients", "\(facts.clientCount)"), ("maxclients", "\(facts.clientLimit)"),
        ("blocked_clients", "\(facts.blockedCount)"),
      ]
    case "memory": memoryLines()
    case "persistence":
      [
        ("loading", "0"), ("rdb_changes_since_last_save", "0"),
        ("rdb_bgsave_in_progress", facts.isSaving ? "1" : "0"),
        ("rdb_last_save_time", "\((isOnDisk ? facts.saveTime : now) / 1000)"),
        ("rdb_last_bgsave_status", facts.hasSaveFailed ? "err" : "ok"), ("aof_enabled", "0"),
        ("memory_file_storage", facts.storage), ("survives_process", "yes"),
        ("survives_power_loss", isOnDisk ? "after_save" : "no"),
      ]
    case "stats":
      [
        ("total_connections_received", "\(figures.connectionCount)"),
        ("total_commands_processed", "\(figures.commandCount)"),
        ("rejected_connections", "\(facts.rejectedCount)"),
        ("expired_keys", "\(figures.expiredCount)"), ("evicted_keys", "\(figures.evictedCount)"),
        ("total_error_replies", "\(timing.errorCount)"), ("keyspace_hits", "\(figures.hitCount)"),
        ("keyspace_misses", "\(figures.missCount)"), ("damaged_values", "\(damagedValueCount)"),
        ("lock_waits", "\(facts.lockWaitCount)"),
        ("lock_wait_usec", "\(facts.lockWaitMicroseconds)"),
      ]
    case "cpu": processorLines(facts.processorTime)
    case "replication":
      [("role", "master"), ("connected_slaves", "0"), ("master_repl_offset", "0")]
    case "keyspace": keyspaceLines
    case "commandstats": commandLines
    case "errorstats":
      timing.errors.sorted { $0.key < $1.key }
        .map { ("errorstat_\($0.key)", "count=\($0.value)") }
    default: handoverLines()
    }
  }

  private func serverLines() -> [(String, String)] {
    [
      ("redis_version", Cache.redisVersion), ("redis_mode", "standalone"),
      ("arch_bits", "\(Int.bitWidth)"), ("multiplexing_api", "epoll"),
      ("process_id", "\(facts.processID)"),
      ("process_supervised", facts.isSupervised ? "systemd" : "no"),
      ("tcp_port", "\(facts.port)"), ("uptime_in_seconds", "\(uptime)"),
      ("uptime_in_days", "\(uptime / 86_400)"), ("executable", facts.executable),
      ("config_file", facts.configurationFile),
      ("io_threads_active", facts.loopCount > 1 ? "1" : "0"),
      ("io_threads", "\(facts.loopCount)"),
    ]
  }

  private var keyspaceLines: [(String, String)] {
    databases.filter { $0.keyCount > 0 }.map {
      ($0.name, "keys=\($0.keyCount),expires=\($0.expiringCount),avg_ttl=0")
    }
  }

  private var commandLines: [(String, String)] {
    zip(Command.allCases, timing.commands).filter {
      $1.callCount > 0 || $1.refusedCount > 0
    }.map { command, figures -> (String, String) in
      let each = Double(figures.microseconds) / Double(max(figures.callCount, 1))
      let hundredths = UInt64(each * 100)
      let rest = hundredths % 100
      return (
        "cmdstat_\(command.name)",
        "calls=\(figures.callCount),usec=\(figures.microseconds),usec_per_call="
          + "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest),rejected_calls=\(figures.refusedCount),"
          + "failed_calls=\(figures.failedCount)"
      )
    }
  }

  private static func ratio(_ first: UInt64, _ second: UInt64) -> String {
    let hundredths = first / max(second / 100, 1)
    return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
  }

  private func processorLines(_ time: ProcessorTime) -> [(String, String)] {
    [
      ("used_cpu_sys", Self.seconds(time.system)), ("used_cpu_user", Self.seconds(time.user)),
      ("used_cpu_sys_children", Self.seconds(time.childrenSystem)),
      ("used_cpu_user_children", Self.seconds(time.childrenUser)),
    ]
  }

  private func memoryLines() -> [(String, String)] {
    [
      ("used_memory", "\(byteCount)"), ("used_memory_human", Self.human(byteCount)),
      ("used_memory_rss", "\(facts.residentByteCount)"),
      ("used_memory_rss_human", Self.human(facts.residentByteCount)),
      ("used_memory_peak", "\(peakByteCount)"),
      ("used_memory_peak_human", Self.human(peakByteCount)),
      ("memory_file_stored_bytes", "\(storedByteCount)"),
      ("mem_fragmentation_ratio", Self.ratio(storedByteCount, byteCount)),
      ("container_limit", "\(containerByteLimit == .max ? 0 : containerByteLimit)"),
      ("maxmemory", "\(settings.maximumByteCount)"),
      ("maxmemory_human", Self.human(settings.maximumByteCount)),
      ("maxmemory_policy", settings.policy.rawValue), ("mem_allocator", "memory file"),
    ]
  }

  private func handoverLines() -> [(String, String)] {
    [
      ("generation", "\(generation)"), ("started_by", start.rawValue),
      ("upgrades", "\(upgradeCount)"), ("crash_restarts", "\(crashCount)"),
      ("memory_file", facts.memoryFile), ("memory_file_bytes", "\(fileByteCount)"),
      ("memory_file_capacity", "\(facts.capacity)"), ("storage_bytes", "\(byteCount)"),
    ]
  }

  /// Bytes for people, as Redis writes them.
  private static func human(_ byteCount: UInt64) -> String {
    guard byteCount >= 1024 else { return "\(byteCount)B" }
    var unit: UInt64 = 1024
    for suffix in ["K", "M", "G", "T"] {
      if byteCount < unit << 10 || suffix == "T" {
        let hundredths = byteCount / (unit / 128) * 100 / 128
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)\(suffix)"
      }
      unit <<= 10
    }
    return "\(byteCount)B"
  }
}
