public import Handover
public import MemoryAccess

/// What a forged handover holds, and where in the machine's memory it is placed.
///
///     var description = ForgeDescription()
///     description.sessions = [.init(name: "vm", files: [.init(token: 1, contents: .bytes(state))])]
///     let handover = try ForgedHandover(description)
public struct ForgeDescription: Sendable {
  /// Whose checksum and boot anchors are written.
  public var machine = KHOTestChecksum.Architecture.x86_64
  /// The page size of the kernel that is to read the handover.
  public var geometry = PageGeometry.pages4KiB
  /// The version that is written.
  public var version = ABIVersion.v4

  /// Where the machine's memory starts: 0 on x86-64, 0x40000000 on QEMU's arm64 `virt`.
  public var memoryStart: PhysicalAddress?
  /// The size of the machine's memory in bytes; as large as it has to be where nil.
  public var memoryByteCount: UInt64?
  /// Where the handover may be placed; one range that is large enough where empty.
  public var placement: [PhysicalRange] = []
  /// The scratch areas; one of 16 MiB in low memory and one for the kernel where empty.
  public var scratchAreas: [PhysicalRange] = []
  /// The size in bytes of the scratch area that is chosen for the kernel.
  public var scratchByteCount: UInt64 = 128 << 20

  /// Who hands over; nil for no record of it, which Linux accepts.
  public var metadata: KexecMetadata?
  /// How many live updates there were, the coming one included.
  public var liveUpdateNumber: UInt64 = 1
  /// The sessions of the Live Update Orchestrator; nil for no record of it.
  public var sessions: [Session]?
  /// The regions of `reserve_mem`.
  public var regions: [Region] = []
  /// Subtrees of any bytes.
  public var blobs: [Blob] = []
  /// The folios of the kernel's self-test.
  public var test: Test?

  /// What is made wrong with it; nil for a sound handover.
  public var damage: ForgeDamage?

  /// An empty handover.
  public init() {}

  /// A session of files.
  public struct Session: Sendable {
    /// Its name, of 1 to 63 bytes.
    public var name: String
    /// Its files.
    public var files: [File]

    /// A session of that name.
    public init(name: String, files: [File]) {
      self.name = name
      self.files = files
    }
  }

  /// A memfd.
  public struct File: Sendable {
    /// The number under which the session's user finds it.
    public var token: UInt64
    /// Its bytes.
    public var contents: ForgeContents
    /// Its position in bytes.
    public var position: UInt64 = 0
    /// Its seals, as fcntl(2) gives them.
    public var seals: UInt32 = 0
    /// The order of its folios, as far as they fit; 0 for single pages.
    public var folioOrder = PageOrder.zero

    /// A file of that token.
    public init(token: UInt64, contents: ForgeContents) {
      self.token = token
      self.contents = contents
    }
  }

  /// A region of `reserve_mem`.
  public struct Region: Sendable {
    /// The name that the kernel's command line asks for.
    public var name: String
    /// Its size in bytes, whole pages.
    public var byteCount: UInt64
    /// The bytes it begins with; zeros follow.
    public var contents: ForgeContents

    /// A region of that name.
    public init(name: String, byteCount: UInt64, contents: ForgeContents = .bytes([])) {
      self.name = name
      self.byteCount = byteCount
      self.contents = contents
    }
  }

  /// A subtree.
  public struct Blob: Sendable {
    /// The name of its node.
    public var name: String
    /// Its bytes, at least one.
    public var contents: ForgeContents

    /// A subtree of that name.
    public init(name: String, contents: ForgeContents) {
      self.name = name
      self.contents = contents
    }
  }

  /// The folios of the kernel's self-test.
  public struct Test: Sendable {
    /// Their orders.
    public var orders: [PageOrder]
    /// What their contents are drawn from.
    public var seed: UInt64 = 1
    /// Whether the sum is written wrong, for a kernel to notice.
    public var isSumWrong = false

    /// Folios of these orders.
    public init(orders: [PageOrder]) { self.orders = orders }
  }
}
