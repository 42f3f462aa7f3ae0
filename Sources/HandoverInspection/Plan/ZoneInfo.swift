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

  /// Reads the file; nil if it lists no zone with memory.
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
