internal import PersistentCollections
internal import RESP

extension Cache {
  /// `MGET key …`.
  mutating func getSeveral(
    _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    reply.array(request.count - 1)
    for index in 1..<request.count { try get(request[index], &reply) }
  }

  /// `MSET key value …`: all or nothing, up to some 1,500 pairs.
  mutating func setSeveral(
    _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    guard request.count % 2 == 1 else { throw .count(of: "mset") }
    try storePairs(request)
    reply.ok()
  }

  /// `MSETNX key value …`.
  mutating func setSeveralIfNew(
    _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    guard request.count % 2 == 1 else { throw .count(of: "msetnx") }
    for index in stride(from: 1, to: request.count, by: 2) {
      guard try deadline(at: request[index]) == nil else {
        reply.integer(0)
        return
      }
    }
    try storePairs(request)
    reply.integer(1)
  }

  /// Stores all pairs as one change. More pairs than the map can undo, some 1,500, are stored in pieces, each of them
  /// as one change: a process killed between two pieces leaves the first ones.
  private mutating func storePairs(_ request: borrowing Request) throws(CommandError) {
    var effort = EvictionEffort()
    var start = 1
    var limit = request.count
    while start < request.count {
      let end = min(start + limit, request.count)
      let indices = stride(from: start, to: end, by: 2)
      do throws(PersistentCollectionError) {
        try storePairs(request, indices)
        start = end
      } catch .transactionTooLarge where end - start > 2 {
        limit = (end - start) / 4 * 2
      } catch {
        var byteCount = 0
        for index in indices { byteCount = max(byteCount, request[index + 1].byteCount) }
        try makeRoom(forByteCount: byteCount, after: error, &effort)
      }
    }
  }

  private mutating func storePairs(
    _ request: borrowing Request, _ indices: StrideTo<Int>
  ) throws(PersistentCollectionError) {
    let (witness, lostCount) = try deadlines(lostBy: request, indices)
    var metadata = EntryMetadata(lastAccess: accessClock)
    if countsUses { metadata.useCount = UseCount.initial }
    let isChecked = settings.checksValues
    for index in indices { markCounts(request[index]) }
    var newIndices: [Int] = []
    var lost: [Int] = []
    if !databases.isSingle {
      for index in indices where try hasDeadline(request[index]) { lost.append(index) }
    }
    if lostCount > 0 {
      try changeDeadlines(
        to: deadlineCount &- lostCount, witness: request[witness], hadDeadline: true
      ) { (map) throws(PersistentCollectionError) in
        newIndices = try Self.storePairs(request, indices, metadata, isChecked, in: &map)
      }
    } else {
      newIndices = try Self.storePairs(request, indices, metadata, isChecked, in: &map)
    }
    for index in newIndices { databases.count(request[index], entries: 1, deadlines: 0) }
    var counted: Set<[UInt8]> = []
    for index in lost where counted.insert(request[index].array).inserted {
      databases.count(request[index], entries: 0, deadlines: -1)
    }
    if !watches.isEmpty { for index in indices { touchWatches(request[index]) } }
  }

  private static func storePairs(
    _ request: borrowing Request, _ indices: StrideTo<Int>, _ metadata: EntryMetadata,
    _ isChecked: Bool, in map: inout PersistentByteMap
  ) throws(PersistentCollectionError) -> [Int] {
    var newIndices: [Int] = []
    try map.transaction { (map) throws(PersistentCollectionError) in
      for index in indices
      where try map.setValue(
        request[index + 1], of: request[index], metadata: metadata, isChecked: isChecked)
      {
        if Databases.number(of: request[index]) != 0 { newIndices.append(index) }
      }
    }
    return newIndices
  }

  /// How many different entries lose their deadline when all are stored anew, and one of those.
  private mutating func deadlines(
    lostBy request: borrowing Request, _ indices: StrideTo<Int>
  ) throws(PersistentCollectionError) -> (witness: Int, count: UInt64) {
    guard deadlineCount > 0 else { return (0, 0) }
    var witness = 0
    var keys: Set<[UInt8]> = []
    for index in indices where try hasDeadline(request[index]) {
      witness = index
      keys.insert(request[index].array)
    }
    return (witness, UInt64(keys.count))
  }

  /// `DEL key …`, `UNLINK key …`.
  mutating func delete(
    _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    var count = 0
    for index in 1..<request.count {
      // One whose time has come was not there.
      if deadlineCount > 0, try deadline(at: request[index]) == nil { continue }
      if try delete(request[index]) { count += 1 }
    }
    reply.integer(count)
  }

  /// `EXISTS key …`, and `TOUCH key …`, which alone of the two is an access.
  mutating func countExisting(
    _ request: borrowing Request, touches: Bool, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    var count = 0
    for index in 1..<request.count
    where try withValueRead(of: request[index], touches: touches, checks: false, { _, _ in true })
      != nil
    {
      count += 1
    }
    reply.integer(count)
  }
}
