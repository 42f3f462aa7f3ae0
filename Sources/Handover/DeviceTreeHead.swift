import DeviceTreeBlob
public import MemoryAccess

/// The first bytes of a root device tree whose rest is missing.
///
/// Linux 7.3 notes a root device tree's size before subtrees are added, so debugfs shows only as many
/// bytes. Names of properties are among what is missing; the first two values are there.
///
/// Source: the Devicetree Specification, 5.4 (structure block); what debugfs of Linux 7.3.4 showed.
public struct DeviceTreeHead: Equatable, Sendable {
  /// The version that the first property names.
  public let version: ABIVersion
  /// Where the tree's root is, as the second property says.
  public let map: PhysicalAddress

  /// Reads `bytes`; nil where they are not the start of a root device tree, or all of one.
  ///
  /// - Complexity: O(1).
  public init?(cut bytes: [UInt8]) {
    func number(_ offset: Int) -> Int? {
      guard offset >= 0, offset &+ 4 <= bytes.count else { return nil }
      return bytes[offset..<offset &+ 4].reduce(0) { $0 &<< 8 | Int($1) }
    }
    guard number(0) == Int(DeviceTreeHeader.magic), let total = number(4), total > bytes.count,
      let start = number(8), start < bytes.count,
      // FDT_BEGIN_NODE with an empty name, FDT_PROP.
      number(start) == 1, number(start &+ 4) == 0, number(start &+ 8) == 3,
      let textCount = number(start &+ 12), (1...64).contains(textCount)
    else { return nil }
    let text = start &+ 20
    let next = text &+ (textCount &+ 3) & ~3
    guard next &+ 20 <= bytes.count, number(next) == 3, number(next &+ 4) == 8,
      bytes[text &+ textCount &- 1] == 0
    else { return nil }
    let compatible = String(repairing: Array(bytes[text..<text &+ textCount &- 1]))
    guard let version = ABIVersion(compatible: compatible) else { return nil }
    self.version = version
    var value: UInt64 = 0
    for byte in bytes[(next &+ 12)..<(next &+ 20)].reversed() { value = value &<< 8 | UInt64(byte) }
    map = PhysicalAddress(UInt64(littleEndian: value))
  }

  /// A root device tree without subtrees that points to the same entries.
  public var deviceTree: [UInt8] {
    do throws(DeviceTreeWriterError) {
      let byteCount = try DeviceTreeWriter.exactByteCount {
        (writer) throws(DeviceTreeWriterError) in try write(&writer)
      }
      var bytes = [UInt8](repeating: 0, count: byteCount)
      var span = bytes.mutableSpan
      // SAFETY: bytes, of which each is a value.
      var raw = unsafe span.mutableBytes
      _ = try DeviceTreeWriter.write(into: &raw) { (writer) throws(DeviceTreeWriterError) in
        try write(&writer)
      }
      return bytes
    } catch {
      Panic.end("a device tree of two properties cannot be written")
    }
  }

  private func write(_ writer: inout DeviceTreeWriter) throws(DeviceTreeWriterError) {
    try writer.property("compatible", string: version.compatible)
    try writer.property(RootDeviceTree.mapProperty, nativeUInt64: map.rawValue)
  }
}
