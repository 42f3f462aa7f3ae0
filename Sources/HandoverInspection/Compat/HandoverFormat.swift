import MemoryAccess

/// Something that crosses a kexec in a form that both kernels must agree on, the most important first.
@nonexhaustive
public enum HandoverFormat: String, CaseIterable, Sendable {
  case root = "kho"
  case chunkBitmap = "kho-v1-bitmap"
  case memblock
  case reservedRegion = "reserve-mem"
  case kexecMetadata = "kexec-metadata"
  case liveUpdate = "luo"
  case liveUpdateSession = "luo-session"
  case sharedData = "luo-flb"
  case file = "luo-file"
  case selfTest = "kho-test"

  /// What it is, for people.
  public var title: String {
    switch self {
    case .root: "root device tree"
    case .chunkBitmap: "bitmaps of kho-v1"
    case .memblock: "reserve_mem regions"
    case .reservedRegion: "each reserve_mem region"
    case .kexecMetadata: "kexec metadata"
    case .liveUpdate: "Live Update Orchestrator"
    case .liveUpdateSession: "its sessions"
    case .sharedData: "its shared data"
    case .file: "its files"
    case .selfTest: "the kernel's self-test"
    }
  }
}

/// What is known about one format on one side.
public struct FormatFact: Equatable, Sendable {
  /// The strings by which the format is known, sorted; empty where that side has none of it. Nil:
  /// not known.
  public let strings: [String]?
  /// Where the fact comes from; empty of what is not known.
  public let source: String

  /// Nothing is known.
  public static let unknown = FormatFact(strings: nil, source: "")

  /// The format is known by `strings`, as `source` says.
  public init(_ strings: [String], _ source: String) {
    self.strings = strings.sorted()
    self.source = source
  }

  private init(strings: [String]?, source: String) {
    self.strings = strings
    self.source = source
  }

  /// The strings for people.
  public var text: String {
    guard let strings else { return "?" }
    return strings.isEmpty ? "·" : strings.map { printable($0) }.joined(separator: ", ")
  }
}

/// One kernel, or the image of one, and the formats it reads and writes.
public struct KernelFormats: Sendable {
  /// `Linux 7.3`, or the path of an image.
  public let name: String
  /// What it writes into a handover.
  public let writes: [HandoverFormat: FormatFact]
  /// What it understands in one.
  public let reads: [HandoverFormat: FormatFact]
  /// log2 of its page size, where that is known.
  public var pageShift: Int?
  /// Blobs whose form nothing here knows, by name.
  public var foreignBlobs: [String] = []
}
