import MemoryAccess
import PreservedPages

/// Finds out who has the entries in a window, run by run.
///
/// Unclaimed bytes of an entry are attributed to an owner that claims bytes of it: the nearest before
/// them, or, before all of them, the first. So an entry with one claimant is theirs as a whole.
struct OwnerSweep {
  private let geometry: PageGeometry
  private var claims: [Claim] = []
  private var start: UInt64 = 0
  /// The last byte of the window.
  private var last: UInt64 = .max
  /// The entries that reach from one window into the next, by order: who claims the last bytes of
  /// the part that was seen.
  private var cutEntries: [PageOrder: CutEntry] = [:]
  /// What was found last; the next may go on with the same.
  private var pending: NumberedRun?

  private struct CutEntry {
    let start: UInt64
    let owner: UInt32
  }

  init(_ geometry: PageGeometry) { self.geometry = geometry }

  /// Moves on to `window`.
  mutating func enter(_ window: inout ClaimWindow) {
    claims = window.claims()
    start = window.start
    last = window.end.map { $0 &- 1 } ?? .max
  }

  /// Whether the entries in `range`, which can be passed over, are in the window; nil if they cannot be passed over:
  /// one of them is claimed, or the window ends among them.
  ///
  /// - Complexity: O(log claims).
  func passes(over range: PhysicalRange) -> Bool? {
    let first = range.start.rawValue
    guard let rangeLast = range.last?.rawValue else { return nil }
    if rangeLast < start || first > last { return false }
    guard first >= start, rangeLast <= last else { return nil }
    let index = firstClaim(endingAtOrAfter: first)
    return index < claims.count && claims[index].start <= rangeLast ? nil : true
  }

  /// Calls `body` with the parts of `run` in the window, each of one owner; with the last of them
  /// only when another follows, or in ``finish(_:)``.
  ///
  /// - Complexity: O(log claims + claims on the run).
  mutating func visit<Failure: Error>(
    _ run: BlockRun, _ body: (NumberedRun) throws(Failure) -> Void
  ) throws(Failure) {
    let size = geometry.blockByteCount(run.order)
    let runLast = run.address.rawValue &+ (run.blockCount &* size &- 1)
    guard run.address.rawValue <= last, runLast >= start else { return }
    let end = min(runLast, last)
    var position = max(run.address.rawValue, start)
    var index = firstClaim(endingAtOrAfter: position)
    while true {
      while index < claims.count, claims[index].last < position { index &+= 1 }
      let part =
        wholeEntries(of: run.order, at: position, through: end, claim: index)
        ?? partOfEntry(of: run.order, at: position, through: end, claim: index)
      if pending?.extend(with: part) != true {
        try finish(body)
        pending = part
      }
      guard part.last < end else { break }
      position = part.last &+ 1
    }
  }

  /// Calls `body` with what was found last.
  mutating func finish<Failure: Error>(
    _ body: (NumberedRun) throws(Failure) -> Void
  ) throws(Failure) {
    guard let run = pending else { return }
    pending = nil
    try body(run)
  }

  /// As many whole entries from `position` on as one claim covers, or none touches; nil where the
  /// first is neither.
  private func wholeEntries(
    of order: PageOrder, at position: UInt64, through end: UInt64, claim index: Int
  ) -> NumberedRun? {
    let size = geometry.blockByteCount(order)
    guard position & (size &- 1) == 0 else { return nil }
    var limit = end
    var claim: Claim?
    if index < claims.count {
      if claims[index].start <= position {
        claim = claims[index]
        limit = min(limit, claims[index].last)
      } else {
        limit = min(limit, claims[index].start &- 1)
      }
    }
    let distance = limit &- position
    let count = distance / size &+ (distance % size == size &- 1 ? 1 : 0)
    guard count > 0 else { return nil }
    let last = position &+ (count &* size &- 1)
    return NumberedRun(
      start: position, last: last, order: order, owner: claim?.owner ?? OwnerTable.none,
      other: claim?.other ?? OwnerTable.none, entryCount: count,
      claimedByteCount: claim == nil ? 0 : count &* size)
  }

  /// The bytes of an entry from `position` on of which one claim, or none, says the same.
  private mutating func partOfEntry(
    of order: PageOrder, at position: UInt64, through end: UInt64, claim index: Int
  ) -> NumberedRun {
    let mask = geometry.blockByteCount(order) &- 1
    let entryStart = position & ~mask
    let entryLast = position | mask
    let limit = min(entryLast, end)
    let claim = index < claims.count && claims[index].start <= entryLast ? claims[index] : nil
    let isClaimed = claim.map { $0.start <= position } ?? false
    let owner: UInt32
    let last: UInt64
    if let claim, isClaimed {
      owner = claim.owner
      last = min(claim.last, limit)
    } else {
      owner =
        ownerBefore(position, inEntry: entryStart, order, claim: index)
        ?? claim?.owner ?? OwnerTable.none
      last = claim.map { min($0.start &- 1, limit) } ?? limit
    }
    if last == limit, limit < entryLast {
      cutEntries[order] = CutEntry(start: entryStart, owner: owner)
    }
    return NumberedRun(
      start: position, last: last, order: order, owner: owner,
      other: isClaimed ? claim?.other ?? OwnerTable.none : OwnerTable.none,
      entryCount: position == entryStart ? 1 : 0,
      claimedByteCount: isClaimed ? last &- position &+ 1 : 0)
  }

  /// Who claims the nearest bytes before `position` in its entry; nil where they are unclaimed.
  private func ownerBefore(
    _ position: UInt64, inEntry entryStart: UInt64, _ order: PageOrder, claim index: Int
  ) -> UInt32? {
    guard position > entryStart else { return nil }
    if index > 0, claims[index &- 1].last >= entryStart { return claims[index &- 1].owner }
    guard let cut = cutEntries[order], cut.start == entryStart else { return nil }
    return cut.owner == OwnerTable.none ? nil : cut.owner
  }

  /// The index of the first claim that ends at or behind `address`.
  private func firstClaim(endingAtOrAfter address: UInt64) -> Int {
    claims.partitioningIndex { $0.last >= address }
  }
}
