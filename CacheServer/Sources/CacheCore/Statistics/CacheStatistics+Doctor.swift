extension CacheStatistics {
  /// `MEMORY DOCTOR`: a sentence about each problem of the memory, with its remedy.
  var memoryReport: String {
    let used = byteCount
    let stored = storedByteCount
    var sentences: [String] = []
    if stored > used + max(32 << 20, used / 4) {
      sentences.append(
        "The file takes \(stored) bytes of its file system and the entries \(used): MEMORY PURGE gives the "
          + "rest back.")
    }
    if byteLimit < .max, used > byteLimit / 10 * 9, settings.policy == .noeviction {
      sentences.append(
        "The entries take \(used) of \(byteLimit) bytes, and nothing is evicted: writes will be refused. "
          + "Raise maxmemory, or choose a maxmemory-policy that evicts.")
    }
    if byteLimit == .max {
      sentences.append(
        "Nothing limits the entries but the file system: set maxmemory, so that other programs keep what "
          + "they need.")
    }
    if containerByteLimit < .max, settings.maximumByteCount > containerByteLimit {
      sentences.append(
        "maxmemory allows more than the container does: \(containerByteLimit) bytes is the limit.")
    }
    return sentences.isEmpty
      ? "The memory is in order: the entries take \(used) bytes, the file \(stored)."
      : sentences.joined(separator: " ")
  }
}
