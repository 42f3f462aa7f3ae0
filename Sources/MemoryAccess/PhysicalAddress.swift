/// The address of one byte of physical memory.
///
/// What is physical depends on the memory behind it: a machine's memory, a memory image of one, or
/// a process's memory file. An address is a coordinate, never a pointer; only a ``PhysicalMemory``
/// can turn it into bytes.
@frozen
public struct PhysicalAddress: Hashable, Comparable, Sendable {
  /// The address in bytes, counted from 0.
  public let rawValue: UInt64

  /// The address `rawValue` bytes from the start of physical memory.
  @inlinable
  public init(_ rawValue: UInt64) {
    self.rawValue = rawValue
  }

  /// Address 0. In a pointer field of every handover format it means "none".
  @inlinable
  public static var zero: PhysicalAddress { PhysicalAddress(0) }

  /// Whether one address is below another.
  @inlinable
  public static func < (lhs: PhysicalAddress, rhs: PhysicalAddress) -> Bool {
    lhs.rawValue < rhs.rawValue
  }

  /// The address `byteCount` bytes further up.
  ///
  /// - Precondition: the sum stays below 2^64.
  @inlinable
  public func advanced(byBytes byteCount: UInt64) -> PhysicalAddress {
    let (sum, overflow) = rawValue.addingReportingOverflow(byteCount)
    require(that: !overflow, "address beyond 2^64")
    return PhysicalAddress(sum)
  }

  /// Whether the address is a multiple of `2^log2ByteCount` bytes.
  ///
  /// - Precondition: `log2ByteCount` is at most 64; every bit of the address counts then.
  @inlinable
  public func isAligned(log2ByteCount: Int) -> Bool {
    rawValue & ((1 as UInt64) << UInt64(log2ByteCount) &- 1) == 0
  }
}

extension PhysicalAddress: CustomStringConvertible {
  /// The address in hexadecimal with `0x`.
  public var description: String { "0x" + String(rawValue, radix: 16) }
}
