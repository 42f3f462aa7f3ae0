/// A run of bytes of physical memory.
///
/// Kept as start and length, so that a range may end at the very top of the address space.
@frozen
public struct PhysicalRange: Hashable, Sendable {
  /// The first byte.
  public let start: PhysicalAddress
  /// The length in bytes; may be 0.
  public let byteCount: UInt64

  /// The range of `byteCount` bytes from `start`.
  ///
  /// - Precondition: the range does not run past 2^64.
  @inlinable
  public init(start: PhysicalAddress, byteCount: UInt64) {
    require(
      that: byteCount == 0 || byteCount &- 1 <= UInt64.max &- start.rawValue, "range beyond 2^64")
    self.start = start
    self.byteCount = byteCount
  }

  /// The range of `byteCount` bytes from `start`, or nil when it would run past 2^64.
  ///
  /// For lengths that come from outside.
  @inlinable
  public init?(checkedStart start: PhysicalAddress, byteCount: UInt64) {
    guard byteCount == 0 || byteCount &- 1 <= UInt64.max &- start.rawValue else { return nil }
    self.start = start
    self.byteCount = byteCount
  }

  /// Whether the range holds no byte.
  @inlinable
  public var isEmpty: Bool { byteCount == 0 }

  /// The last byte, or nil of an empty range.
  @inlinable
  public var last: PhysicalAddress? {
    isEmpty ? nil : PhysicalAddress(start.rawValue &+ (byteCount &- 1))
  }

  /// Whether `address` is inside.
  @inlinable
  public func contains(_ address: PhysicalAddress) -> Bool {
    address >= start && address.rawValue &- start.rawValue < byteCount
  }

  /// Whether every byte of `other` is inside; true of an empty `other`.
  @inlinable
  public func contains(_ other: PhysicalRange) -> Bool {
    guard let last = other.last else { return true }
    return contains(other.start) && contains(last)
  }

  /// Whether the two ranges share a byte.
  @inlinable
  public func overlaps(_ other: PhysicalRange) -> Bool {
    guard let last, let otherLast = other.last else { return false }
    return start <= otherLast && other.start <= last
  }

  /// The bytes both ranges hold, or nil when they share none.
  @inlinable
  public func intersection(_ other: PhysicalRange) -> PhysicalRange? {
    guard overlaps(other), let last, let otherLast = other.last else { return nil }
    let from = max(start, other.start)
    let to = min(last, otherLast)
    return PhysicalRange(start: from, byteCount: to.rawValue &- from.rawValue &+ 1)
  }
}

extension PhysicalRange: CustomStringConvertible {
  /// First and last byte in hexadecimal, as `[0x1000-0x1fff]`.
  public var description: String {
    guard let last else { return "[\(start)-)" }
    return "[\(start)-\(last)]"
  }
}
