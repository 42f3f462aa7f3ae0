public import MemoryAccess

/// The zones of a running kernel, as `/proc/zoneinfo` lists them.
public struct ZoneInfo: Sendable {
  /// A zone of a node.
  public struct Zone: Hashable, Sendable {
    /// The number of the node.
    public let node: Int
    /// Whether it is the zone DMA or DMA32: of memory that devices with short addresses reach.
    public let isForShortAddresses: Bool
    /// The first page frame.
    public let firstFrame: UInt64
    /// The number of page frames that the machine has.
    public let presentFrameCount: UInt64
    /// The number of page frames that the page allocator got.
    public let managedFrameCount: UInt64

    /// What the page allocator never got.
    public var reservedFrameCount: UInt64 {
      presentFrameCount > managedFrameCount ? presentFrameCount - managedFrameCount : 0
    }
  }

  /// The zones that have memory.
  public let zones: [Zone]

  /// The most bytes of the file that are read.
  public static let byteLimit = 16 << 20

  /// Reads the file; nil where it has no zone with memory.
  ///
  /// - Complexity: O(bytes).
  public init?(_ text: some Collection<UInt8>) {
    var zones: [Zone] = []
    var zone = Reading()
    for line in text.split(separator: UInt8(ascii: "\n")) where line.count < 256 {
      let words = String(decoding: line, as: UTF8.self).split(whereSeparator: \.isWhitespace)
      if words.count == 4, words[0] == "Node", words[2] == "zone" {
        zone.end(&zones)
        zone = Reading(node: number(words[1]), name: words[3])
      } else if words.count == 2, let value = UInt64(words[1]), value <= 1 << 40 {
        zone.note(words[0], value)
      }
    }
    zone.end(&zones)
    guard !zones.isEmpty else { return nil }
    self.zones = zones
  }

  private struct Reading {
    var node: UInt64?
    var name: Substring = ""
    var values: [String: UInt64] = [:]

    mutating func note(_ key: Substring, _ value: UInt64) {
      if ["present", "managed", "start_pfn:"].contains(key) { values[String(key)] = value }
    }

    func end(_ zones: inout [Zone]) {
      guard zones.count < 4096, let node, node < 1 << 16, let present = values["present"],
        present > 0, let managed = values["managed"]
      else { return }
      zones.append(
        Zone(
          node: Int(node), isForShortAddresses: name == "DMA" || name == "DMA32",
          firstFrame: values["start_pfn:"] ?? 0, presentFrameCount: present,
          managedFrameCount: managed))
    }
  }
}

/// What `/proc/meminfo` says, in bytes.
public struct MemoryInfo: Hashable, Sendable {
  /// What the page allocator got, `MemTotal`.
  public let total: UInt64

  /// The most bytes of the file that are read.
  public static let byteLimit = 1 << 20

  /// Reads the file; nil where it has no line `MemTotal:`.
  public init?(_ text: some Collection<UInt8>) {
    for line in text.split(separator: UInt8(ascii: "\n")) where line.count < 256 {
      let words = String(decoding: line, as: UTF8.self).split(whereSeparator: \.isWhitespace)
      guard words.count == 3, words[0] == "MemTotal:", words[2] == "kB",
        let count = number(words[1]),
        count <= 1 << 42
      else { continue }
      total = count << 10
      return
    }
    return nil
  }
}

/// The scratch areas of a running kernel, as debugfs shows them.
public struct CurrentScratch: Hashable, Sendable {
  /// One area.
  public struct Area: Hashable, Sendable {
    /// `low`, `global`, or `node` and its number.
    public let name: String
    /// Nil where only the sizes are known.
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

  /// Reads `scratch_len`, and `scratch_phys` where it is given; nil where they are malformed.
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
