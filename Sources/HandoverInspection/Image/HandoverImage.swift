public import Handover
public import MemoryAccess
public import MemoryImages
public import PreservedPages
public import ProcessHandover
public import SystemPackage

/// The memory of a machine or of a process, and the handovers found in it.
///
/// ```swift
/// let image = try HandoverImage.open("vmcore.elf")
/// let handover = try image.firstReadable
/// for account in handover.owners(in: image.memory).accounts { print(account) }
/// ```
public struct HandoverImage: Sendable {
  /// Where memory comes from.
  @nonexhaustive
  public enum Source: Hashable, Sendable {
    /// A dump of a machine's memory, raw memory, or the memory file of a process.
    case file(FilePath)
    /// The memory of the running system; `proc`, `sys` and `dev` are looked for in the folder.
    case runningSystem(root: FilePath = "/")
  }

  /// What a caller knows about an image and the image does not say.
  public struct Options: Hashable, Sendable {
    /// Where the root device tree of the handover is.
    @nonexhaustive
    public enum DeviceTree: Hashable, Sendable {
      /// At the start of a page: the memory is searched for all of them.
      case searched
      /// At this address.
      case address(PhysicalAddress)
      /// In a file of its own, such as those in debugfs.
      case file(FilePath)
    }

    /// Where the root device tree is.
    public var deviceTree = DeviceTree.searched
    /// Where raw memory is; nil where the file is not raw memory. Other formats carry addresses.
    public var rawPlacement: RawPlacement?
    /// Whether the file is raw memory, whatever it begins with.
    public var isRaw = false
    /// The other files of a dump that was split into several.
    public var parts: [FilePath] = []
    /// Memory that the next kernel allocates from before it has read what is preserved.
    public var scratch: [PhysicalRange] = []
    /// The page size of the machine; nil for the one that the image says, or that suits best.
    public var pageSize: PageGeometry?
    /// The size of the bitmaps of a `kho-v1` chunk list.
    public var chunkBitmapSize = ChunkBitmapSize.deduced

    /// The defaults: everything is found out from the image.
    public init() {}
  }

  /// Called now and then while memory is searched for root device trees, with the number of bytes
  /// searched so far and the number of all.
  public typealias SearchProgress = (_ byteCount: UInt64, _ total: UInt64) -> Void

  /// Something that was read differently from what the caller may expect.
  @nonexhaustive
  public enum ReadingNote: Hashable, Sendable {
    /// The running kernel received a handover whose memory it uses for something else by now, so it was
    /// left out; the address of its root device tree, if that is known.
    case incomingUsedUp(PhysicalAddress?)
    /// The file with the root device tree holds only its first bytes, and the whole is not among what is
    /// preserved: only the entries were read.
    case deviceTreeCut(byteCount: Int)
  }

  /// A root device tree in a machine's memory that is not the start of a handover of that machine.
  public struct OtherRoot: Hashable, Sendable {
    /// What it is.
    @nonexhaustive
    public enum Kind: Hashable, Sendable {
      /// A page of a memory file of a process: its addresses are offsets in the file.
      case memoryFile
      /// A copy of the root device tree at that address, as in a page of a capture.
      case copy(of: PhysicalAddress)
      /// An earlier one, in memory that is free by now, of the handover whose root device tree is at that
      /// address.
      case superseded(by: PhysicalAddress)
    }

    /// The address of its first byte.
    public let address: PhysicalAddress
    /// What it is.
    public let kind: Kind
  }

  /// The path of the image; `live` for the running system.
  public let name: String
  /// The memory.
  public let memory: MemoryImage
  /// The handovers, in the order of their addresses; at least one.
  public let surveys: [HandoverSurvey]
  /// Whether the caller, the image, or the handovers themselves determined the page size; otherwise
  /// it was assumed.
  public let isPageSizeKnown: Bool
  /// How many root device trees were found beyond ``HandoverScanner/limit``, and not read.
  public let omittedHandoverCount: UInt64
  /// The superblock of a memory file, and what it says about the handover; nil for other images.
  public let memoryFile: MemoryContents?
  /// What was read differently from what the caller may expect.
  public let notes: [ReadingNote]
  /// Memory that the next kernel allocates from before it has read what is preserved: as the caller's options
  /// say, as debugfs shows it, or as the setup data of x86-64 or `/chosen` of arm64 names it in the image.
  /// Empty where it is not known.
  public let scratch: [PhysicalRange]
  /// Root device trees that are not the start of a handover of this machine, lowest first.
  public let otherRoots: [OtherRoot]
  /// Whether the running system was read twice and a handover still could not be read completely,
  /// which may be due to changes while it was read.
  public internal(set) var changedWhileRead = false

  /// Opens an image, finds the handovers in it, and reads them.
  ///
  /// A running system changes while it is read. So where a handover in it appears to be damaged, it is
  /// read a second time.
  ///
  /// - Throws: ``HandoverImageError`` when the image cannot be opened or no handover is found. A handover
  ///   that is damaged is not an error: see `HandoverSurvey.findings`.
  /// - Complexity: O(stored pages) for the search, and that of a `HandoverSurvey` for each handover.
  public static func open(
    _ source: Source, options: Options = Options(), progress: SearchProgress = { _, _ in }
  ) throws(HandoverImageError) -> HandoverImage {
    let image = try FoundHandovers(in: source, options, progress).loaded()
    guard case .runningSystem = source, image.surveys.contains(where: { $0.error != nil }) else {
      return image
    }
    var again = try FoundHandovers(in: source, options, progress).loaded()
    again.changedWhileRead = again.surveys.contains { $0.error != nil }
    return again
  }

  /// Opens the image at `path`, finds the handovers in it, and reads them.
  ///
  /// - Throws: as the other `open`.
  public static func open(
    _ path: FilePath, options: Options = Options(), progress: SearchProgress = { _, _ in }
  ) throws(HandoverImageError) -> HandoverImage {
    try open(.file(path), options: options, progress: progress)
  }

  /// The first handover that can be read completely.
  ///
  /// Of a kernel that came up through a kexec this is mostly the outgoing one, since the nodes of the
  /// incoming one are free memory by then.
  ///
  /// - Throws: ``HandoverImageError/unreadable(_:)`` if none of them can be read.
  public var firstReadable: HandoverSurvey {
    get throws(HandoverImageError) {
      if let survey = surveys.first(where: { $0.error == nil }) { return survey }
      throw .unreadable(surveys.compactMap(\.error).first ?? .mapMissing)
    }
  }
}

extension HandoverImage {
  /// What is wrong with `survey`, with what only the whole image shows.
  public func findings(of survey: HandoverSurvey) -> [HandoverFinding] {
    survey.findings + ownFindings(of: survey)
  }

  /// What is wrong with the handover of `records`, and with its records.
  public func findings(of records: RecordsOfHandover) -> [HandoverFinding] {
    findings(of: records.survey, records.findings)
  }

  /// What is wrong with `survey`, and with its records.
  func findings(of survey: HandoverSurvey, _ records: RecordFindingList) -> [HandoverFinding] {
    findings(of: survey) + records.findings.map { .record($0) }
  }

  /// How many of the findings are of severity error, those not listed included.
  public func errorCount(of survey: HandoverSurvey) -> UInt64 {
    survey.errorCount &+ UInt64(ownFindings(of: survey).count { $0.severity == .error })
  }

  private func ownFindings(of survey: HandoverSurvey) -> [HandoverFinding] {
    var findings: [HandoverFinding] = []
    if let memoryFile, !memoryFile.isDeviceTreeSound, let address = survey.address,
      address == memoryFile.superblock.state.deviceTree
    {
      findings.append(.deviceTreeChanged(address))
    }
    findings += nameFindings(of: survey)
    // Only kernels pass a page on; a memory file's device tree is read where it is.
    let limit = max(survey.geometry.pageByteCount, 4096)
    if memoryFile == nil, let byteCount = survey.deviceTree?.byteCount, byteCount > limit {
      findings.append(.deviceTreePastPage(byteCount: byteCount, limit: limit))
    }
    findings += scratchFindings(of: survey)
    if !isPageSizeKnown { findings.append(.pageSizeAssumed(survey.geometry)) }
    return findings
  }

  private func nameFindings(of survey: HandoverSurvey) -> [HandoverFinding] {
    var names: Set<String> = []
    var repeated: Set<String> = []
    var findings: [HandoverFinding] = []
    for subtree in survey.deviceTree?.subtrees ?? [] where !names.insert(subtree.name).inserted {
      guard repeated.insert(subtree.name).inserted, findings.count < FindingList.limitPerKind else {
        continue
      }
      findings.append(.subtreeRepeated(name: subtree.name))
    }
    return findings
  }

  /// The first entries that are in scratch.
  private func scratchFindings(of survey: HandoverSurvey) -> [HandoverFinding] {
    guard !scratch.isEmpty, let pages = survey.pages else { return [] }
    struct Enough: Error {}
    var findings: [HandoverFinding] = []
    let passes = { (stretch: BlockStretch) in !scratch.contains { $0.overlaps(stretch.range) } }
    try? pages.forEachRun(in: memory, passingOver: passes) { run throws(Enough) in
      let range = run.range(in: survey.geometry)
      for area in scratch {
        guard let shared = range.intersection(area) else { continue }
        let mask = survey.geometry.blockByteCount(run.order) &- 1
        let start = PhysicalAddress(shared.start.rawValue & ~mask)
        findings.append(
          .blockInScratch(PhysicalBlock(address: start, order: run.order), scratch: area))
        guard findings.count < FindingList.limitPerKind else { throw Enough() }
      }
    }
    return findings
  }
}

extension HandoverSurvey {
  /// What the handover is called in sentences.
  public var title: String {
    address.map { "handover at \($0)" } ?? "handover of the given device tree"
  }

  /// The orders that have entries, and how many.
  public var ordersInUse: [(order: PageOrder, count: UInt64)] {
    (pages?.countByOrder ?? []).enumerated().filter { $0.element > 0 }
      .map { (PageOrder($0.offset), $0.element) }
  }
}
