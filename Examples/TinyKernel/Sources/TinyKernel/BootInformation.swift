import Machine
import MemoryAccess

/// What the machine, or the kernel before this one, says at the entry: copied out at once, since it
/// may be in memory that is used for something else soon.
struct BootInformation {
  /// A run of memory, as the firmware names it: kind 1 is plain memory.
  struct Region {
    var range = PhysicalRange(start: .zero, byteCount: 0)
    var kind: UInt32 = 0
  }

  /// Where a predecessor's handover is: the two addresses that a kexec passes on.
  struct Handover {
    /// The root device tree.
    var deviceTree: PhysicalAddress
    /// The array of scratch areas.
    var scratchArray: PhysicalRange
  }

  private var storage = InlineArray<64, Region>(repeating: Region())
  private(set) var regionCount = 0
  /// The kernels and files that came along; see ``Stash``.
  var module: PhysicalRange?
  /// nil when the machine was just switched on, or reset.
  var handover: Handover?
  /// What the command line asks for.
  var options = Options()
  /// The first entry of the list of setup data (x86-64).
  var setupData: PhysicalAddress = .zero
  /// Where the machine's own device tree is (aarch64).
  var deviceTree: PhysicalAddress = .zero

  mutating func append(_ range: PhysicalRange, kind: UInt32) {
    if range.isEmpty { return }
    guard regionCount < storage.count else { panic("more than 64 regions of memory") }
    storage[regionCount] = Region(range: range, kind: kind)
    regionCount += 1
  }

  func region(_ index: Int) -> Region { storage[index] }

  /// The end of all memory.
  var end: UInt64 {
    var end: UInt64 = 0
    for index in 0..<regionCount where storage[index].kind == 1 {
      end = max(end, storage[index].range.start.rawValue + storage[index].range.byteCount)
    }
    return end
  }
}

/// Words `key=number` of the command line.
struct Options {
  /// The number of generations of this kernel before Linux.
  var generations: UInt64 = 5
  /// Whether to preserve and unpreserve without end, until the machine is reset.
  var resets = false
  /// Whether to count what operations on a tree cost, and stop.
  var counts = false
  /// What to break, to see that it is noticed: 1 a bit of a preserved block, 2 a pointer of the
  /// tree, 3 the checksum for Linux's test.
  var damage: UInt64 = 0

  init() {}

  /// Reads the command line at `given`, which ends with a zero byte, and keeps a copy for the next
  /// kernel.
  init(parsingAt given: UInt64) {
    if given == 0 { return }
    let address = machine_image_start() + UInt64(BOOT_COMMAND_LINE)
    if given != address {
      machine_fill(address, 0, 2048)
      var index: UInt64 = 0
      while index < 2047, case let byte = machine_load8(given + index), byte != 0 {
        machine_store8(address + index, byte)
        index += 1
      }
    }
    generations = Self.number("generations=", at: address) ?? generations
    resets = Self.number("resets=", at: address) == 1
    counts = Self.number("counts=", at: address) == 1
    damage = Self.number("damage=", at: address) ?? 0
  }

  private static func number(_ key: StaticString, at address: UInt64) -> UInt64? {
    for start in address..<(address + 2048) {
      if machine_load8(start) == 0 { return nil }
      if start > address, machine_load8(start - 1) != 32 { continue }
      guard matches(key, at: start) else { continue }
      var value: UInt64 = 0
      var place = start + UInt64(key.utf8CodeUnitCount)
      while case let digit = machine_load8(place), digit >= 48, digit < 58, value < 1 << 32 {
        value = value * 10 + UInt64(digit - 48)
        place += 1
      }
      return value
    }
    return nil
  }

  private static func matches(_ key: StaticString, at address: UInt64) -> Bool {
    key.withUTF8Buffer { bytes in
      // SAFETY: the indices are those of the buffer.
      for index in 0..<bytes.count
      where unsafe bytes[index] != machine_load8(address + UInt64(index)) {
        return false
      }
      return true
    }
  }
}
