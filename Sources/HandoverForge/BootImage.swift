public import Handover
public import MemoryAccess
public import MemoryImages

/// One file that a virtual machine boots, with a kernel, its initramfs and a handover that it finds:
/// `qemu-system-x86_64 -kernel FILE`, without anything else.
///
/// An ELF file of 32 bits with the note of a PVH entry, whose segments are loaded where their physical
/// addresses say. The kernel, its initramfs and all that the boot needs are in the largest scratch
/// area, where nothing preserved is.
///
/// Source: Xen, docs/misc/pvh.pandoc (the entry); Linux, Documentation/arch/x86/boot.rst.
public struct BootImage: Sendable {
  /// A run of bytes to be loaded.
  struct Segment: Sendable {
    let range: PhysicalRange
    /// The bytes; nil of memory of the handover.
    let bytes: [UInt8]?
  }

  /// What is to be booted.
  public struct Contents: Sendable {
    /// The bzImage.
    public var kernel: [UInt8]
    /// The initramfs; nil for none.
    public var initramfs: [UInt8]?
    /// The kernel's command line.
    public var commandLine: String

    /// A kernel with its initramfs and command line.
    public init(kernel: [UInt8], initramfs: [UInt8]?, commandLine: String) {
      self.kernel = kernel
      self.initramfs = initramfs
      self.commandLine = commandLine
    }

    /// How much scratch memory in one piece these need, in bytes.
    ///
    /// - Throws: ``ForgeError/kernelNotBootable(reason:)``.
    public func scratchByteCount() throws(ForgeError) -> UInt64 {
      let kernel = try KernelImage(kernel)
      // What the kernel allocates before it knows what is preserved.
      let working: UInt64 = 64 << 20
      return 2 * kernel.alignment + kernel.runtimeByteCount + UInt64(initramfs?.count ?? 0)
        + working
    }
  }

  /// Where the machine begins.
  public let entry: PhysicalAddress
  /// Where the kernel is loaded.
  public let kernelAddress: PhysicalAddress
  /// The size of the machine's memory in bytes, as the kernel learns it.
  public let memoryByteCount: UInt64
  let segments: [Segment]

  /// The memory that a q35 machine has below 4 GiB where it has more.
  private static let lowMemoryLimit: UInt64 = 0xb000_0000

  /// The image of `contents` and a handover.
  ///
  /// - Parameters:
  ///   - contents: the kernel and what goes with it.
  ///   - deviceTree: the bytes of the root device tree.
  ///   - stored: the memory of the handover, which is to be loaded.
  ///   - scratchAreas: the scratch areas; the kernel goes into the largest.
  ///   - memoryByteCount: the size of the machine's memory, which starts at 0.
  /// - Throws: ``ForgeError``.
  public init(
    _ contents: Contents, deviceTree: PhysicalRange, stored: MemoryMap,
    scratchAreas: [ScratchArea], memoryByteCount: UInt64
  ) throws(ForgeError) {
    guard memoryByteCount <= Self.lowMemoryLimit else {
      throw .beyond4GiB(PhysicalRange(start: .zero, byteCount: memoryByteCount))
    }
    for range in stored.ranges where range.last?.rawValue ?? .max >= memoryByteCount {
      throw .beyond4GiB(range)
    }
    let kernel = try KernelImage(contents.kernel)
    guard let scratch = scratchAreas.max(by: { $0.range.byteCount < $1.range.byteCount })?.range
    else { throw .noRoom(byteCount: try contents.scratchByteCount()) }
    var place = Placer(scratch)
    let code = try place.take(kernel.runtimeByteCount, alignedTo: kernel.alignment)
    let zeroPage = try place.take(4096)
    let commandLine = try place.take(UInt64(contents.commandLine.utf8.count + 1))
    let setupData = try place.take(UInt64(SetupDataRecord.byteCount))
    let array = try place.take(UInt64(scratchAreas.count * ScratchArea.byteCount))
    let stub = try place.take(4096)
    let initramfs = try contents.initramfs.map { (bytes) throws(ForgeError) in
      try place.take(UInt64(bytes.count))
    }
    // The firmware keeps the last of the memory to itself.
    let end = memoryByteCount - (1 << 20)
    func range(_ start: UInt64, _ end: UInt64) -> PhysicalRange {
      PhysicalRange(start: PhysicalAddress(start), byteCount: end - start)
    }
    let page = kernel.zeroPage(
      loadedAt: code.start, initramfs: initramfs, commandLine: commandLine.start,
      setupData: setupData.start,
      memory: [
        (range(0, 0x9_f000), true), (range(0x9_f000, 0x10_0000), false),
        (range(0x10_0000, end), true), (range(end, memoryByteCount), false),
      ])
    var areas: [UInt8] = []
    for area in scratchAreas {
      areas.append(area.range.start.rawValue, 8)
      areas.append(area.range.byteCount, 8)
    }
    let anchors = SetupDataRecord(
      deviceTree: deviceTree.start, deviceTreeByteCount: deviceTree.byteCount, scratchAreas: array)
    let own: [(PhysicalAddress, [UInt8])] = [
      (code.start, Array(kernel.code)), (zeroPage.start, page),
      (commandLine.start, Array(contents.commandLine.utf8) + [0]),
      (setupData.start, anchors.bytes), (array.start, areas),
      (
        stub.start,
        BootStub.code(at: stub.start, kernel: code.start, zeroPage: zeroPage.start)
      ),
    ]
    var segments = own.map { address, bytes in
      Segment(
        range: PhysicalRange(start: address, byteCount: UInt64(bytes.count)), bytes: bytes)
    }
    if let initramfs { segments.append(Segment(range: initramfs, bytes: contents.initramfs)) }
    segments += stored.ranges.map { Segment(range: $0, bytes: nil) }
    self.segments = segments.sorted { $0.range.start < $1.range.start }
    self.memoryByteCount = memoryByteCount
    entry = stub.start
    kernelAddress = code.start
  }

  /// Takes pieces of the scratch area, one after the other.
  private struct Placer {
    let area: PhysicalRange
    var offset: UInt64 = 0

    init(_ area: PhysicalRange) { self.area = area }

    mutating func take(
      _ byteCount: UInt64, alignedTo alignment: UInt64 = 4096
    ) throws(ForgeError) -> PhysicalRange {
      let place = area.start.rawValue + offset
      let aligned = (place + alignment - 1) / alignment * alignment
      let start = aligned - area.start.rawValue
      guard start <= area.byteCount, byteCount <= area.byteCount - start else {
        throw .noRoom(byteCount: start + byteCount)
      }
      offset = start + byteCount
      return PhysicalRange(start: PhysicalAddress(aligned), byteCount: byteCount)
    }
  }
}

extension SetupDataRecord {
  /// The entry, the last of its list.
  fileprivate var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(0, 8)
    bytes.append(UInt64(Self.type), 4)
    bytes.append(32, 4)
    for value in [
      deviceTree.rawValue, deviceTreeByteCount, scratchAreas.start.rawValue,
      scratchAreas.byteCount,
    ] {
      bytes.append(value, 8)
    }
    return bytes
  }
}
