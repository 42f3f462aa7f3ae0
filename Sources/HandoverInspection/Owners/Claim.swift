/// Bytes that one owner claims, or two.
struct Claim: Hashable {
  var start: UInt64
  /// The last byte.
  var last: UInt64
  /// The claimant with the lowest number.
  let owner: UInt32
  /// The one with the next number, the same where one claims the bytes twice; ``OwnerTable/none``
  /// where no other owner does.
  let other: UInt32

  /// The part from `start` on.
  func from(_ start: UInt64) -> Claim {
    Claim(start: start, last: last, owner: owner, other: other)
  }

  /// The part up to `last`.
  func through(_ last: UInt64) -> Claim {
    Claim(start: start, last: last, owner: owner, other: other)
  }

  /// What is claimed by both, of two that start at the same byte, up to the nearer end.
  func combined(with claim: Claim) -> Claim {
    // The lowest two of four numbers; the order in which claims are combined does not matter.
    let isFirst = owner <= claim.owner
    let low = isFirst ? self : claim
    let high = isFirst ? claim : self
    return Claim(
      start: start, last: min(last, claim.last), owner: low.owner, other: min(low.other, high.owner)
    )
  }

  /// Whether `next` goes on where this ends, claimed by the same.
  func isContinued(by next: Claim) -> Bool {
    owner == next.owner && other == next.other && next.start != 0 && last == next.start &- 1
  }
}

/// Claims of which none overlaps another, sorted.
struct ClaimList {
  private(set) var claims: [Claim] = []

  /// No claims.
  init() {}

  /// What `claims`, sorted by their start, say of each byte.
  ///
  /// - Complexity: O(claims · log claims), O(claims) where none overlaps another.
  init(sorted claims: ArraySlice<Claim>) {
    let isDisjoint = zip(claims, claims.dropFirst()).allSatisfy { $0.last < $1.start }
    guard !isDisjoint else {
      self.claims.reserveCapacity(claims.count)
      for claim in claims { append(claim) }
      return
    }
    let middle = claims.startIndex &+ claims.count / 2
    self = ClaimList(sorted: claims[..<middle]).merged(with: ClaimList(sorted: claims[middle...]))
  }

  /// What both lists say of each byte.
  ///
  /// - Complexity: O(claims of both).
  func merged(with list: ClaimList) -> ClaimList {
    if claims.isEmpty { return list }
    if list.claims.isEmpty { return self }
    var result = ClaimList()
    result.claims.reserveCapacity(claims.count &+ list.claims.count)
    var mine = ClaimCursor(claims)
    var theirs = ClaimCursor(list.claims)
    while let a = mine.rest, let b = theirs.rest {
      if a.last < b.start {
        result.append(a)
        mine.advance(behind: a.last)
      } else if b.last < a.start {
        result.append(b)
        theirs.advance(behind: b.last)
      } else if a.start < b.start {
        result.append(a.through(b.start &- 1))
        mine.advance(behind: b.start &- 1)
      } else if b.start < a.start {
        result.append(b.through(a.start &- 1))
        theirs.advance(behind: a.start &- 1)
      } else {
        let both = a.combined(with: b)
        result.append(both)
        mine.advance(behind: both.last)
        theirs.advance(behind: both.last)
      }
    }
    while let a = mine.rest {
      result.append(a)
      mine.advance(behind: a.last)
    }
    while let b = theirs.rest {
      result.append(b)
      theirs.advance(behind: b.last)
    }
    return result
  }

  /// Cuts the list behind its first `count` claims, of which the next one's first byte is kept.
  ///
  /// - Returns: that byte; nil if there are at most `count`.
  mutating func cut(to count: Int) -> UInt64? {
    guard claims.count > count else { return nil }
    let next = claims[count]
    claims.removeSubrange(count...)
    claims.append(next.through(next.start))
    return next.start
  }

  private mutating func append(_ claim: Claim) {
    if let tail = claims.last, tail.isContinued(by: claim) {
      claims[claims.count &- 1].last = claim.last
    } else {
      claims.append(claim)
    }
  }
}

/// What is left of a list that is being merged.
private struct ClaimCursor {
  private let claims: [Claim]
  private var index = 0
  private(set) var rest: Claim?

  init(_ claims: [Claim]) {
    self.claims = claims
    rest = claims.first
  }

  mutating func advance(behind last: UInt64) {
    if let rest, rest.last > last {
      self.rest = rest.from(last &+ 1)
    } else {
      index &+= 1
      rest = index < claims.count ? claims[index] : nil
    }
  }
}
