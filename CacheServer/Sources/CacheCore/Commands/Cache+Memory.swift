internal import PersistentCollections
internal import ProcessHandover
internal import RESP

extension Cache {
  /// `MEMORY DOCTOR`, `PURGE`, `STATS`, `USAGE`.
  mutating func memory(
    _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let name = request[1]
    if name.isWord("usage") {
      try memoryUsage(request, &reply)
    } else if name.isWord("doctor") {
      try request.expectCount(request.count == 2)
      reply.verbatim(statistics(ServerFacts()).memoryReport)
    } else if name.isWord("purge") {
      try request.expectCount(request.count == 2)
      let end = Self.currentMicroseconds() + Self.purgeMicroseconds
      try purgeMemory { Self.currentMicroseconds() > end }
      reply.ok()
    } else if name.isWord("stats") {
      try request.expectCount(request.count == 2)
      writeStatistics(&reply)
    } else if name.isWord("help") {
      try request.expectCount(request.count == 2)
      reply.help(.memory, Self.memoryHelp)
    } else {
      throw .unknownSubcommand(of: request)
    }
  }

  /// So long `MEMORY PURGE` lets others wait, at most.
  private static var purgeMicroseconds: UInt64 { 250_000 }

  private static let memoryHelp = [
    "DOCTOR",
    "    Return what is worth knowing about the memory.",
    "PURGE",
    "    Move entries together, and give free memory back to the system.",
    "STATS",
    "    Return how much memory is used for what.",
    "USAGE <key> [SAMPLES <count>]",
    "    Return memory in bytes used by <key> and its value.",
  ]

  private func writeStatistics(_ reply: inout ReplyWriter) {
    let used = map.storageByteCount
    let figures: [(String, UInt64)] = [
      ("peak.allocated", max(peakByteCount, used)), ("total.allocated", used),
      ("file.stored", storedByteCount), ("file.bytes", map.memory.byteCount),
      ("keys.count", UInt64(count)), ("keys.bytes-per-key", used / UInt64(max(count, 1))),
    ]
    reply.map(figures.count)
    for (name, value) in figures {
      reply.bulk(name)
      reply.integer(Int64(clamping: value))
    }
  }

  /// `MEMORY USAGE key [SAMPLES count]`.
  private mutating func memoryUsage(
    _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    try request.expectCount(request.count >= 3)
    if request.count > 3 {
      guard request.count == 5, request[3].isWord("samples") else { throw .syntax }
      guard try Self.integer(request[4]) >= 0 else { throw .syntax }
    }
    let key = request[2]
    guard try withValueRead(of: key, touches: false, checks: false, { _, _ in true }) != nil else {
      reply.null()
      return
    }
    do throws(PersistentCollectionError) {
      reply.integer(try map.memoryByteCount(of: key) ?? 0)
    } catch {
      throw .collection(error)
    }
  }
}
