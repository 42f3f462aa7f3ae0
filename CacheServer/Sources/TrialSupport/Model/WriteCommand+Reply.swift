extension WriteCommand {
  /// Whether a server can answer with `reply` when the keys have `states`. If several replies are possible, the
  /// states change to those that fit this one.
  ///
  /// - Parameter mayBeEvicted: whether any key may be gone.
  func accepts(
    _ reply: Reply, _ states: inout KeyStates, _ moment: Moment, mayBeEvicted: Bool
  ) -> Bool {
    switch self {
    case .set, .setSeveral: return reply == .ok
    case .increment(let key, let number):
      guard case .number(let old)? = states[key]?.content else {
        return reply == .integer(number)
      }
      return reply == .integer(old &+ number)
    case .append(let pair):
      let old = states[pair.key]?.byteCount ?? 0
      return reply == .integer(Int64(old + pair.piece.count))
    case .delete(let keys):
      guard case .integer(let count) = reply else { return false }
      // As many as are there for sure, up to those that may be.
      let surely = keys.filter { !mayBeEvicted && !states[$0].mayBeGone(moment) }.count
      let maybe = keys.filter { states[$0].mayBeThere(moment) }.count
      return (Int64(surely)...Int64(maybe)).contains(count)
    case .expire(let key, _), .expireAt(let key, _):
      return accepts(change: key, reply, &states, mayBeEvicted) { _ in true }
    case .persist(let key):
      return accepts(change: key, reply, &states, mayBeEvicted) { $0.deadline != nil }
    case .get(let key):
      switch reply {
      case .null:
        guard mayBeEvicted || states[key].mayBeGone(moment) else { return false }
        states[key] = nil
        return true
      case .bulk(let bytes):
        guard let entry = states[key], states[key].mayBeThere(moment) else { return false }
        return entry.byteCount == bytes.count && entry.bytes == bytes
      default: return false
      }
    }
  }

  private func accepts(
    change key: Int, _ reply: Reply, _ states: inout KeyStates, _ mayBeEvicted: Bool,
    _ changes: (CacheEntry) -> Bool
  ) -> Bool {
    guard let entry = states[key], changes(entry) else { return reply == .integer(0) }
    if reply == .integer(1) { return true }
    guard reply == .integer(0), mayBeEvicted else { return false }
    // It was not there any more.
    states[key] = nil
    return true
  }
}
