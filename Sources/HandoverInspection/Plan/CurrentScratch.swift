public import MemoryAccess

/// The scratch areas of a running kernel, as debugfs shows them.
public struct CurrentScratch: Hashable, Sendable {
  /// One area.
  public struct Area: Hashable, Sendable {
    /// `low`, `global`, or `node` and its number.
    public let name: String
    /// Where the area starts; nil if only the sizes are known.
    public let address: PhysicalAddress?
    /// The size, in bytes; 0 of an empty area.
    public let byteCount: UInt64
  }

  /// Empty areas included: Linux lists one for low memory, one for any memory, and one of each node.
  public let areas: [Area]

  /// What the areas take in all, in bytes.
  public var byteCount: UInt64 { areas.reduce(0) { $0 &+ $1.byteCount } }

  /// The most bytes of a file that are read.
  public static let byteLimit = 1 << 20

  /// Reads the files `scratch_len` and `scratch_phys`: a hexadecimal number for each area; nil if one of them is
  /// malformed, or if they list different numbers of areas.
  ///
  /// - Parameters:
  ///   - lengths: the bytes of `scratch_len`.
  ///   - addresses: the bytes of `scratch_phys`; nil if only the sizes are known.
  /// - Complexity: O(bytes).
  public init?(lengths: some Collection<UInt8>, addresses: [UInt8]? = nil) {
    guard let lengths = Self.numbers(lengths), !lengths.isEmpty, lengths.count <= 4096 else {
      return nil
    }
    var starts: [UInt64]?
    if let addresses {
      starts = Self.numbers(addresses)
      guard starts?.count == lengths.count else { return nil }
    }
    guard lengths.allSatisfy({ $0 <= 1 << 52 }) else { return nil }
    areas = lengths.indices.map { index in
      Area(
        name: Self.name(index), address: starts.map { PhysicalAddress($0[index]) },
        byteCount: lengths[index])
    }
  }

  /// Areas that the user gives, in Linux's order.
  public init(_ ranges: [PhysicalRange]) {
    areas = ranges.indices.map {
      Area(name: Self.name($0), address: ranges[$0].start, byteCount: ranges[$0].byteCount)
    }
  }

  private static func name(_ index: Int) -> String {
    index == 0 ? "low" : index == 1 ? "global" : "node \(index - 2)"
  }

  private static func numbers(_ text: some Collection<UInt8>) -> [UInt64]? {
    var numbers: [UInt64] = []
    for word in String(decoding: text, as: UTF8.self).split(whereSeparator: \.isWhitespace) {
      guard let number = UInt64(word.hasPrefix("0x") ? word.dropFirst(2) : word[...], radix: 16)
      else { return nil }
      numbers.append(number)
    }
    return numbers
  }
}
