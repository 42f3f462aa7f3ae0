/// What `INFO` answers.
enum InfoText {
  /// Fields of cache-server alone: what is handed over has no counterpart.
  private static let ownSections = ["# Handover"]
  /// The same in sections that redis-server has as well: about the memory file, checksums, and event loops.
  private static let ownFields: Set<String> = [
    "memory_file_stored_bytes", "container_limit", "memory_file_storage", "survives_process",
    "survives_power_loss", "damaged_values", "io_threads", "lock_waits", "lock_wait_usec",
  ]
  /// Fields whose values follow from what was done, and not from who has done it.
  private static let comparedFields: Set<String> = [
    "redis_mode", "arch_bits", "multiplexing_api", "role", "connected_slaves", "maxmemory",
    "maxmemory_human", "maxmemory_policy", "loading", "aof_enabled", "db0.keys", "db0.expires",
    "blocked_clients", "config_file",
  ]

  /// Whether redis-server has every field of `ours`, and those that are compared are the same.
  static func isAnswered(by ours: String, where theirs: String) -> Bool {
    let mine = fields(ours)
    let others = fields(theirs)
    return !mine.isEmpty
      && mine.allSatisfy { name, value in
        guard let other = others[name] else { return false }
        return !comparedFields.contains(name) || other == value
      }
  }

  /// The fields, and the sections as fields; of the keyspace, each figure is one.
  private static func fields(_ text: String) -> [String: String] {
    var fields: [String: String] = [:]
    var isOwn = false
    for line in text.split(whereSeparator: \.isNewline) {
      if line.hasPrefix("#") { isOwn = ownSections.contains(String(line)) }
      if isOwn { continue }
      guard let colon = line.firstIndex(of: ":") else {
        fields[String(line)] = ""
        continue
      }
      let name = String(line[..<colon])
      if ownFields.contains(name) { continue }
      let value = line[line.index(after: colon)...]
      guard name.hasPrefix("db") else {
        fields[name] = String(value)
        continue
      }
      for part in value.split(separator: ",") {
        let pair = part.split(separator: "=", maxSplits: 1)
        fields["\(name).\(pair.first ?? "")"] = String(pair.last ?? "")
      }
    }
    return fields
  }
}

/// What `CLIENT LIST` and `CLIENT INFO` answer.
enum ClientText {
  private static let comparedFields: Set<Substring> = [
    "name", "flags", "db", "sub", "psub", "ssub", "multi", "events", "cmd", "user", "redir",
    "resp", "obl", "oll", "omem",
  ]

  /// Whether there are as many lines, and the fields that are compared are the same in each.
  static func isAnswered(by ours: String, where theirs: String) -> Bool {
    let mine = ours.split(separator: "\n").map(fields)
    let others = theirs.split(separator: "\n").map(fields)
    return mine.count == others.count
      && zip(mine, others).allSatisfy { mine, other in
        comparedFields.allSatisfy { mine[$0] != nil && mine[$0] == other[$0] }
      }
  }

  private static func fields(_ line: Substring) -> [Substring: Substring] {
    var fields: [Substring: Substring] = [:]
    for word in line.split(separator: " ") {
      guard let equals = word.firstIndex(of: "=") else { continue }
      fields[word[..<equals]] = word[word.index(after: equals)...]
    }
    return fields
  }
}
