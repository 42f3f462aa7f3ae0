public import Handover
import MemoryAccess
import MemoryImages

/// A blob that is not the same in two handovers.
public struct BlobDifference: Sendable {
  /// The name of the blob.
  public let name: String
  /// Its address and size in A; nil when A has no blob of the name.
  public let a: HandoverSurvey.Subtree?
  /// Its address and size in B; nil when B has no blob of the name.
  public let b: HandoverSurvey.Subtree?
  /// Whether the bytes differ; nil where they cannot be compared: one of them is missing, not in its
  /// image, or of unknown size.
  public let bytesDiffer: Bool?

  /// Whether anything differs.
  var isDifferent: Bool {
    guard let a, let b else { return true }
    return a.subtree.address != b.subtree.address || a.byteCount != b.byteCount
      || bytesDiffer == true
  }

  /// The blobs that differ, in the order of A, and then those that only B has.
  ///
  /// - Complexity: O(bytes of the blobs).
  static func all(_ a: HandoverDiff.Side, _ b: HandoverDiff.Side) -> [BlobDifference] {
    let pairs = Pairing(a.survey.subtrees, b.survey.subtrees) { $0.subtree.name }.pairs
    return pairs.map { mine, theirs in
      var bytesDiffer: Bool?
      if let mine, let theirs { bytesDiffer = a.bytes(of: mine, differFrom: theirs, of: b) }
      return BlobDifference(
        name: (mine ?? theirs)?.subtree.name ?? "", a: mine, b: theirs, bytesDiffer: bytesDiffer)
    }.filter(\.isDifferent)
  }
}

extension HandoverDiff.Side {
  /// Whether two blobs of the same size have other bytes; nil if that is unknown.
  fileprivate func bytes(
    of subtree: HandoverSurvey.Subtree, differFrom other: HandoverSurvey.Subtree,
    of side: HandoverDiff.Side
  ) -> Bool? {
    guard let byteCount = subtree.byteCount, byteCount == other.byteCount else { return nil }
    let step: UInt64 = 1 << 16
    var offset: UInt64 = 0
    while offset < byteCount {
      let count = min(step, byteCount - offset)
      guard let mine = range(subtree, offset, count), let theirs = range(other, offset, count)
      else { return nil }
      let isSame = memory.withBytes(in: mine) { mine in
        side.memory.withBytes(in: theirs) { mine.isEqual(to: $0) }
      }
      guard let isSame, let isSame else { return nil }
      if !isSame { return true }
      memory.finishedReading(mine)
      side.memory.finishedReading(theirs)
      offset += count
    }
    return false
  }

  private func range(
    _ subtree: HandoverSurvey.Subtree, _ offset: UInt64, _ byteCount: UInt64
  ) -> PhysicalRange? {
    let (start, overflow) = subtree.subtree.address.rawValue.addingReportingOverflow(offset)
    return overflow
      ? nil : PhysicalRange(checkedStart: PhysicalAddress(start), byteCount: byteCount)
  }
}

extension RawSpan {
  fileprivate func isEqual(to other: RawSpan) -> Bool {
    guard byteCount == other.byteCount else { return false }
    for index in 0..<byteCount / 8
    where plainWord(atByte: index * 8) != other.plainWord(atByte: index * 8) {
      return false
    }
    for index in byteCount / 8 * 8..<byteCount where byte(at: index) != other.byte(at: index) {
      return false
    }
    return true
  }
}
