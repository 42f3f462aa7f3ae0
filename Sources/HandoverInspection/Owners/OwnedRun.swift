public import MemoryAccess

/// Preserved memory that follows itself without a gap, in entries of one order, and has one owner.
///
/// Whole entries, or a part of one that several share.
public struct OwnedRun: Hashable, Sendable {
  /// The bytes; where they are all 2^64, the length is one short.
  public let range: PhysicalRange
  /// The order of the entries.
  public let order: PageOrder
  /// How many entries begin here. An entry that several share counts where it begins.
  public let entryCount: UInt64
  /// Who has the memory; nil where none of the entries is claimed.
  public let owner: MemoryOwner?
  /// The second owner that claims the same bytes: the first owner itself if it claims them twice, nil without a
  /// second claim.
  public let otherOwner: MemoryOwner?
  /// How many of the bytes the owner's records name. The rest only comes with the entries, which are
  /// no smaller than a page.
  public let claimedByteCount: UInt64
}

/// An ``OwnedRun`` with numbers for owners.
struct NumberedRun {
  let start: UInt64
  /// The last byte.
  var last: UInt64
  let order: PageOrder
  let owner: UInt32
  let other: UInt32
  var entryCount: UInt64
  var claimedByteCount: UInt64

  /// The number of bytes; one less of all 2^64.
  var byteCount: UInt64 {
    let (count, overflow) = (last &- start).addingReportingOverflow(1)
    return overflow ? .max : count
  }

  /// Takes in `next` where it goes on with the same.
  ///
  /// - Returns: whether it does.
  mutating func extend(with next: NumberedRun) -> Bool {
    guard next.start != 0, last == next.start &- 1, order == next.order, owner == next.owner,
      other == next.other
    else { return false }
    last = next.last
    entryCount &+= next.entryCount
    claimedByteCount = claimedByteCount.addingSaturated(next.claimedByteCount)
    return true
  }

  func named(by table: OwnerTable) -> OwnedRun {
    OwnedRun(
      range: PhysicalRange(start: PhysicalAddress(start), byteCount: byteCount), order: order,
      entryCount: entryCount, owner: table.owner(owner), otherOwner: table.owner(other),
      claimedByteCount: claimedByteCount)
  }
}

extension UInt64 {
  /// The sum, at most 2^64 − 1.
  func addingSaturated(_ other: UInt64) -> UInt64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
