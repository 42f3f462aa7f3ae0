import MemoryAccess

/// A bzImage of x86-64, as far as its 32-bit entry needs it.
///
/// Source: Linux, Documentation/arch/x86/boot.rst.
struct KernelImage {
  /// The whole file.
  let bytes: [UInt8]
  /// Where in it the protected-mode code begins.
  let codeOffset: Int
  /// What a load address must be a multiple of, in bytes; at least 2 MiB.
  let alignment: UInt64
  /// How many bytes from the load address on the kernel uses before it knows what is free.
  let runtimeByteCount: UInt64

  /// Where the setup header begins in the file, and in the zero page.
  static let headerOffset = 0x1f1

  /// The end of the setup header.
  let headerEnd: Int

  init(_ bytes: [UInt8]) throws(ForgeError) {
    func number(_ offset: Int, _ byteCount: Int) -> UInt64 {
      (0..<byteCount).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
    }
    guard bytes.count > 0x268, number(0x202, 4) == 0x5372_6448 else {
      throw .kernelNotBootable(reason: "it is not a bzImage of x86-64 (no \"HdrS\" at 0x202)")
    }
    guard number(0x206, 2) >= 0x20c, bytes[0x211] & 1 != 0 else {
      throw .kernelNotBootable(reason: "its boot protocol is older than 2.12 (Linux 3.8)")
    }
    guard bytes[0x234] != 0 else {
      throw .kernelNotBootable(reason: "it is not relocatable (CONFIG_RELOCATABLE)")
    }
    let setupSectors = bytes[0x1f1] == 0 ? 4 : Int(bytes[0x1f1])
    codeOffset = (setupSectors + 1) * 512
    headerEnd = 0x202 + Int(bytes[0x201])
    guard codeOffset < bytes.count, headerEnd <= min(bytes.count, 0x290) else {
      throw .kernelNotBootable(reason: "the file is cut short")
    }
    let alignment = number(0x230, 4)
    guard alignment.nonzeroBitCount == 1, alignment <= 1 << 30 else {
      throw .kernelNotBootable(reason: "its alignment of \(alignment) bytes is not a power of two")
    }
    self.bytes = bytes
    self.alignment = max(alignment, 2 << 20)
    runtimeByteCount = max(number(0x260, 4), UInt64(bytes.count - codeOffset))
  }

  var code: ArraySlice<UInt8> { bytes[codeOffset...] }

  /// The zero page: the setup header, and what the boot loader says.
  func zeroPage(
    loadedAt place: PhysicalAddress, initramfs: PhysicalRange?, commandLine: PhysicalAddress,
    setupData: PhysicalAddress, memory: [(range: PhysicalRange, isUsable: Bool)]
  ) -> [UInt8] {
    var page = [UInt8](repeating: 0, count: 4096)
    page.replaceSubrange(
      Self.headerOffset..<headerEnd, with: bytes[Self.headerOffset..<headerEnd])
    // A boot loader without a number of its own; the code is loaded high.
    page[0x210] = 0xff
    page[0x211] |= 1
    page.put(place.rawValue, 4, at: 0x214)
    page.put(initramfs?.start.rawValue ?? 0, 4, at: 0x218)
    page.put(initramfs?.byteCount ?? 0, 4, at: 0x21c)
    page.put(commandLine.rawValue, 4, at: 0x228)
    page.put(setupData.rawValue, 8, at: 0x250)
    page[0x1e8] = UInt8(memory.count)
    for (index, entry) in memory.enumerated() {
      let offset = 0x2d0 + 20 * index
      page.put(entry.range.start.rawValue, 8, at: offset)
      page.put(entry.range.byteCount, 8, at: offset + 8)
      page.put(entry.isUsable ? 1 : 2, 4, at: offset + 16)
    }
    return page
  }
}

extension [UInt8] {
  /// Stores the low bytes of `value`, least significant first.
  mutating func put(_ value: UInt64, _ byteCount: Int, at offset: Int) {
    for index in 0..<byteCount {
      self[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
    }
  }

  mutating func append(_ value: UInt64, _ byteCount: Int) {
    for index in 0..<byteCount { append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
  }
}
