import MemoryAccess

/// The sum over the folios of a ``KHOTestRecord``, as the kernel's self-test takes it.
///
/// Kernels sum with what their processor does best, so the sum depends on the architecture:
/// - x86-64: all 64-bit words of all folios, modulo 2^32 − 1.
/// - arm64: of each folio its 64-bit words modulo 65535; these are added in 32 bits, and a carry at the
///   top comes back in at the bottom.
///
/// A sum that is 0 although a byte is not is written as the modulus itself. Both sums are equal modulo
/// 65535.
///
/// Source: measured with Linux 7.3: `FormatRecords.md`.
public struct KHOTestChecksum: Hashable, Sendable {
  /// Whose way of summing.
  @nonexhaustive
  public enum Architecture: Hashable, Sendable {
    /// x86-64.
    case x86_64
    /// arm64.
    case arm64
  }

  private let architecture: Architecture
  private var sum: UInt64 = 0

  /// The sum of no folios.
  public init(_ architecture: Architecture) {
    self.architecture = architecture
  }

  /// Adds the bytes of a folio, which are whole 64-bit words.
  ///
  /// - Complexity: O(bytes).
  public mutating func add(_ folio: RawSpan) {
    var low: UInt64 = 0
    var high: UInt64 = 0
    var offset = 0
    while let word = folio.plainWord(atByte: offset) {
      low &+= word & 0xffff_ffff
      high &+= word &>> 32
      offset &+= 8
    }
    let isZero = low | high == 0
    // Both halves count alike: 2^32 is 1 modulo 2^32 − 1.
    let all = low % 0xffff_ffff &+ high % 0xffff_ffff
    switch architecture {
    case .x86_64:
      // A residue of 0 is kept as the modulus, unless all bytes are 0.
      sum &+= isZero ? 0 : Self.residue(all, 0xffff_ffff)
      sum = sum == 0 ? 0 : Self.residue(sum, 0xffff_ffff)
    case .arm64:
      sum &+= isZero ? 0 : Self.residue(all, 0xffff)
      sum = (sum & 0xffff_ffff) &+ sum &>> 32
    }
  }

  private static func residue(_ value: UInt64, _ modulus: UInt64) -> UInt64 {
    let rest = value % modulus
    return rest == 0 ? modulus : rest
  }

  /// The sum.
  public var value: UInt32 { UInt32(truncatingIfNeeded: sum) }
}
