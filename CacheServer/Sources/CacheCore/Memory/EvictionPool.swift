/// The entries that were not used for longest among those that samples have come across: what is
/// evicted next. Better than the oldest of one sample, as Redis found.
struct EvictionPool {
  struct Candidate {
    let key: [UInt8]
    /// When the entry was used last, in milliseconds since 1970.
    let clock: UInt64
  }

  static let countLimit = 16

  /// The oldest last, where it is taken.
  private var candidates: [Candidate] = []

  /// Whether an entry used at `clock` would be kept.
  func wants(_ clock: UInt64) -> Bool {
    guard candidates.count == Self.countLimit, let newest = candidates.first else { return true }
    return clock < newest.clock
  }

  /// Keeps a candidate, and drops the newest where there are too many.
  mutating func offer(_ candidate: Candidate) {
    guard wants(candidate.clock), !candidates.contains(where: { $0.key == candidate.key }) else {
      return
    }
    let index = candidates.firstIndex { $0.clock <= candidate.clock } ?? candidates.count
    candidates.insert(candidate, at: index)
    if candidates.count > Self.countLimit { candidates.removeFirst() }
  }

  /// Takes the oldest.
  mutating func take() -> Candidate? { candidates.popLast() }

  /// Forgets all.
  mutating func clear() { candidates.removeAll() }
}
