public import MemoryAccess

/// Where the parts of a raw file are in memory.
public struct RawLayout: Hashable, Sendable {
  /// A part, from an offset of the file up to the next part or the end of the file.
  public struct Part: Hashable, Sendable {
    /// The first byte in the file.
    public let fileOffset: UInt64
    /// The physical address of that byte.
    public let address: PhysicalAddress

    /// The part that begins at `fileOffset` of the file and at `address` of memory.
    public init(fileOffset: UInt64, address: PhysicalAddress) {
      self.fileOffset = fileOffset
      self.address = address
    }
  }

  /// The parts, sorted by their place in the file.
  public let parts: [Part]
  /// Whether the parts are those of a kind of machine: one that begins behind the end of the file is then
  /// not an error, but memory that this machine does not have.
  public let isPreset: Bool

  /// The whole file from `base` on.
  public init(base: PhysicalAddress) {
    parts = [Part(fileOffset: 0, address: base)]
    isPreset = false
  }

  /// The parts in any order; nil of none, and where two begin at one place of the file.
  public init?(_ parts: [Part]) {
    let sorted = parts.sorted { $0.fileOffset < $1.fileOffset }
    guard !sorted.isEmpty, Set(sorted.map(\.fileOffset)).count == sorted.count else { return nil }
    self.parts = sorted
    isPreset = false
  }

  /// The memory of a machine of that kind, whose file has `fileByteCount` bytes.
  public init(_ machine: VirtualMachine, fileByteCount: UInt64) {
    let hole = machine.holeStart(fileByteCount: fileByteCount)
    let base = machine.base
    var parts = [Part(fileOffset: 0, address: base)]
    if let hole {
      parts.append(
        Part(fileOffset: hole.rawValue &- base.rawValue, address: PhysicalAddress(4 << 30)))
    }
    self.parts = parts
    isPreset = true
  }
}

/// Where a raw file is in memory, whose size need not be known yet.
@nonexhaustive
public enum RawPlacement: Hashable, Sendable {
  /// At places that the caller knows.
  case layout(RawLayout)
  /// As the memory of a machine of this kind.
  case machine(VirtualMachine)

  /// The places of a file of `fileByteCount` bytes.
  public func layout(fileByteCount: UInt64) -> RawLayout {
    switch self {
    case .layout(let layout): layout
    case .machine(let machine): RawLayout(machine, fileByteCount: fileByteCount)
    }
  }
}

/// Kinds of virtual machines whose memory file has no hole where the memory has one.
///
/// Source: QEMU, hw/i386/pc_q35.c, pc_piix.c and microvm.c, hw/arm/virt.c; Firecracker, arch/x86_64 and
/// arch/aarch64 layout; Cloud Hypervisor, arch/src/x86_64/layout.rs and aarch64/layout.rs; crosvm,
/// x86_64/src/lib.rs.
@nonexhaustive
public enum VirtualMachine: String, Hashable, Sendable, CaseIterable {
  case q35
  case pc
  case microvm
  case firecracker
  case cloudHypervisor = "cloud-hypervisor"
  case virt
  case firecrackerARM = "firecracker-arm"

  /// The physical address of the file's first byte.
  public var base: PhysicalAddress {
    switch self {
    case .virt: PhysicalAddress(1 << 30)
    case .firecrackerARM: PhysicalAddress(2 << 30)
    default: .zero
    }
  }

  /// Where the hole below 4 GiB begins; nil where the memory has none.
  public func holeStart(fileByteCount: UInt64) -> PhysicalAddress? {
    switch self {
    case .q35: PhysicalAddress(fileByteCount >= 0xb000_0000 ? 0x8000_0000 : 0xb000_0000)
    case .pc: PhysicalAddress(fileByteCount >= 0xe000_0000 ? 0xc000_0000 : 0xe000_0000)
    case .microvm, .cloudHypervisor, .firecracker: PhysicalAddress(0xc000_0000)
    case .virt, .firecrackerARM: nil
    }
  }
}
