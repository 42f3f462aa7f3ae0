import Machine
import MemoryAccess

/// The files that the virtual machine's loader put into memory, one behind the other, and that every
/// generation preserves for the next.
///
///     | magic | number of parts | offset, length of each part | … page … | part | … | part |
struct Stash {
  static let name = "stash"
  /// This kernel, as an image that a boot loader of Linux takes.
  static let ownImage = 0
  static let linuxImage = 1
  static let linuxInitialFiles = 2
  static let linuxCommandLine = 3

  let range: PhysicalRange

  /// The stash at `range`; nil if none exists.
  init?(_ range: PhysicalRange) {
    guard range.byteCount >= 4096, machine_load64(range.start.rawValue) == 0x6873_7453_796e_6954
    else { return nil }
    self.range = range
  }

  /// A part; empty if none exists.
  func part(_ index: Int) -> PhysicalRange {
    let table = range.start.rawValue + 16
    let offset = machine_load64(table + 16 * UInt64(index))
    let byteCount = machine_load64(table + 16 * UInt64(index) + 8)
    guard UInt64(index) < machine_load64(range.start.rawValue + 8), offset < range.byteCount,
      byteCount <= range.byteCount - offset
    else { return PhysicalRange(start: range.start, byteCount: 0) }
    return PhysicalRange(start: range.start.advanced(byBytes: offset), byteCount: byteCount)
  }
}
