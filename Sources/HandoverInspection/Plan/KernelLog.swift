public import MemoryAccess

/// What a kernel's own log (`dmesg`) says about the machine and what boot reserved.
///
/// Of a log with several boots, the last one counts. Lines may begin with what dmesg, a journal or
/// `/dev/kmsg` adds. A line that is malformed, or has a number that no machine can have, is passed over.
public struct KernelLog: Sendable {
  /// The kernel's release, as `Linux version` gives it: 7.3 of 7.3.4.
  public private(set) var release: KernelRelease?
  /// The kind of machine, from lines that only one kind prints; nil if the log does not contain any of them.
  public private(set) var architecture: KernelArchitecture?
  /// The kernel's command line; nil if the log does not contain it.
  public private(set) var commandLine: KernelCommandLine?
  /// The line `Memory: … available (…)`; nil if the log does not contain it.
  public private(set) var memory: MemoryLine?
  /// The memory of each node, from `Early memory node ranges`.
  public private(set) var nodeRanges: [(node: Int, range: PhysicalRange)] = []
  /// The end of the memory that devices with short addresses reach: the end of zone DMA32 or DMA.
  public private(set) var lowLimit: PhysicalAddress?
  /// The size of the initial RAM disk, in bytes; nil if the log does not contain it.
  public private(set) var initialRAMDiskByteCount: UInt64?
  /// Whether the initial RAM disk is below 4 GiB; nil if the log does not contain its address.
  public private(set) var isInitialRAMDiskLow: Bool?
  /// The size of the machine's device tree, in bytes; nil if it is unknown. QEMU makes one of 1 MiB for its machine
  /// `virt`.
  public private(set) var deviceTreeByteCount: UInt64?
  /// The hash tables for directory entries and inodes that early boot allocates, in bytes.
  public private(set) var hashByteCount: UInt64 = 0
  /// The bounce buffers (`software IO TLB`), in bytes.
  public private(set) var bounceByteCount: UInt64 = 0
  /// What was reserved for a crash kernel, in bytes.
  public private(set) var crashKernelByteCount: UInt64 = 0
  /// The pages of 1 GiB that were set aside for huge pages, in bytes.
  public private(set) var hugePageByteCount: UInt64 = 0
  /// Whether a kernel handed over to this one: it inherited its scratch areas then.
  public private(set) var isSuccessor = false
  /// Whether the kernel could not reserve its scratch areas.
  public private(set) var hasNoScratch = false
  /// Whether the log contains the start of the boot: what it does not mention was not there.
  public private(set) var isWhole = false

  /// The line `Memory: … available (…)`.
  public struct MemoryLine: Hashable, Sendable {
    /// The machine's memory, in bytes.
    public let total: UInt64
    /// The memory that the page allocator does not get, in bytes.
    public let reserved: UInt64
    /// Code, data and what is freed after boot, in bytes.
    public let kernelImage: UInt64
    /// The part of the kernel image that is freed after boot, in bytes.
    public let initialization: UInt64
  }

  /// The most bytes of a log that are read.
  public static let byteLimit = 64 << 20

  /// Reads a log; a log without any known line is empty.
  ///
  /// - Complexity: O(bytes).
  public init(_ text: some Collection<UInt8>) {
    for line in text.split(separator: UInt8(ascii: "\n")) where line.count < 4096 {
      // A record of /dev/kmsg: `6,339,5140900,-;message`.
      read(String(decoding: line, as: UTF8.self))
    }
  }

  private mutating func read(_ line: String) {
    if let rest = line.after("Linux version ") {
      // arm64 says which processor it boots on before it says its version.
      let architecture = architecture
      self = KernelLog([])
      self.architecture = architecture
      isWhole = true
      release = KernelRelease(parsing: rest)
      return
    }
    if line.contains("BIOS-e820: ") { architecture = .x86 }
    if line.contains("Booting Linux on physical CPU") { architecture = .arm64 }
    if line.contains("Machine model: linux,dummy-virt") { deviceTreeByteCount = 1 << 20 }
    if line.contains("KHO: found kexec handover data") { isSuccessor = true }
    if line.contains("Failed to reserve scratch area") { hasNoScratch = true }
    if let rest = line.after("ommand line: ") { commandLine = KernelCommandLine(rest) }
    if let rest = line.after("Memory: ") { memory = MemoryLine(rest) ?? memory }
    if nodeRanges.count < 1024, let rest = line.after(" node "), let entry = Self.nodeRange(rest) {
      nodeRanges.append(entry)
    }
    readZone(line)
    readBuffers(line)
  }

  private mutating func readZone(_ line: String) {
    for zone in [" DMA32 ", " DMA "] {
      guard let rest = line.after(zone), let range = memoryRange(in: rest), let last = range.last
      else { continue }
      let end = PhysicalAddress(last.rawValue &+ 1)
      if lowLimit.map({ $0 < end }) ?? true { lowLimit = end }
    }
  }

  private mutating func readBuffers(_ line: String) {
    if let rest = line.after("RAMDISK: "), let range = memoryRange(in: rest) {
      initialRAMDiskByteCount = range.byteCount
      isInitialRAMDiskLow = range.start < PhysicalAddress(1 << 32)
    }
    if initialRAMDiskByteCount == nil, let rest = line.after("Freeing initrd memory: ") {
      initialRAMDiskByteCount = kibibytes(rest)
    }
    for name in ["Dentry cache", "Inode-cache"] where line.contains(name + " hash table entries: ")
    {
      // (order: 11, 8388608 bytes, linear); of several nodes, they are allocated later.
      if let order = line.after("(order: "), let comma = order.after(", "),
        line.contains(" bytes, linear)"), let count = number(comma), count <= 1 << 40
      {
        hashByteCount &+= count
      }
    }
    if let rest = line.after("software IO TLB: mapped "), let range = memoryRange(in: rest) {
      bounceByteCount = range.byteCount
    }
    // "crashkernel reserved: 0x…-0x… (256 MB)", twice where a part must be low.
    if let rest = line.after("crashkernel"), rest.contains("reserved: 0x"),
      let size = rest.after("("), rest.contains(" MB)"), let count = number(size), count < 1 << 32
    {
      crashKernelByteCount &+= count << 20
    }
    if let rest = line.after("HugeTLB: registered 1.00 GiB page size, pre-allocated "),
      let count = number(rest), count < 1 << 20
    {
      hugePageByteCount = count << 30
    }
  }

  /// Reads `  0: [mem 0x0000000000001000-0x000000000009efff]`
  private static func nodeRange(_ text: Substring) -> (node: Int, range: PhysicalRange)? {
    let text = text.drop { $0 == " " }
    guard let node = number(text), node < 1 << 16, let rest = text.after(": "),
      rest.hasPrefix("[mem "), let range = memoryRange(in: rest)
    else { return nil }
    return (Int(node), range)
  }
}

extension KernelLog.MemoryLine {
  /// `A K/B K available (…K kernel code, …K reserved, …)`; nil for another line.
  init?(_ text: Substring) {
    guard let slash = text.firstIndex(of: "/"), let total = kibibytes(text[slash...].dropFirst()),
      let list = text.after(" available ("), let end = list.firstIndex(of: ")")
    else { return nil }
    var parts: [Substring: UInt64] = [:]
    for part in list[..<end].split(separator: ",") {
      let part = part.drop { $0 == " " }
      guard let byteCount = kibibytes(part), let name = part.after("K ") else { continue }
      parts[name] = byteCount
    }
    guard let reserved = parts["reserved"], reserved <= total else { return nil }
    self.total = total
    self.reserved = reserved
    initialization = parts["init"] ?? 0
    let image = ["kernel code", "rwdata", "rodata", "init", "bss"].reduce(0) {
      $0 &+ (parts[$1[...]] ?? 0)
    }
    kernelImage = min(image, reserved)
  }
}
