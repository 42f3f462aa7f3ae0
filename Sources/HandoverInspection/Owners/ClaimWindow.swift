/// The claims on a stretch of addresses that is as long as a bounded number of claims allows.
///
/// The records of a large machine make too many claims to keep. So they are walked
/// again for each window: all of memory in one, where they are few.
struct ClaimWindow {
  /// The first byte of the window.
  let start: UInt64
  /// The first byte behind the window; nil when it has no end. Who claims that byte is known too.
  private(set) var end: UInt64?

  private let limit: Int
  private var list = ClaimList()
  private var pending: [Claim] = []

  /// A window from `start` on that keeps `limit` claims, and a few times as many for a moment.
  init(start: UInt64, limit: Int) {
    precondition(limit > 0, "a window without room")
    self.start = start
    self.limit = limit
  }

  /// Takes the claim of `owner` on the bytes from `first` through `last`.
  ///
  /// - Complexity: O(log limit), amortised.
  mutating func add(first: UInt64, last: UInt64, owner: UInt32) {
    guard last >= start else { return }
    if pending.count >= limit { settle() }
    var last = last
    if let end {
      guard first <= end else { return }
      last = min(last, end)
    }
    let claim = Claim(start: max(first, start), last: last, owner: owner, other: OwnerTable.none)
    if let tail = pending.last {
      if tail.isContinued(by: claim) {
        pending[pending.count &- 1].last = last
        return
      }
      // Linux fills files from the top of free memory downwards.
      if claim.isContinued(by: tail) {
        pending[pending.count &- 1].start = claim.start
        return
      }
    }
    pending.append(claim)
  }

  /// All claims on the window, in order, and the one on the byte behind it.
  mutating func claims() -> [Claim] {
    settle()
    return list.claims
  }

  private mutating func settle() {
    pending.sort { $0.start < $1.start }
    list = list.merged(with: ClaimList(sorted: pending[...]))
    pending.removeAll(keepingCapacity: true)
    if let end = list.cut(to: limit) { self.end = end }
  }
}
