import DeviceTreeBlob
public import MemoryAccess
public import PreservedPages

/// A handover as it looks from outside: everything between its root device tree and its entries,
/// read from untrusted memory, and what is wrong with it.
public struct HandoverSurvey: Sendable {
  /// Where the root device tree came from.
  @nonexhaustive
  public enum Source: Equatable, Sendable {
    /// It is in memory.
    case memory(PhysicalAddress)
    /// It was given apart from memory, as from a file.
    case bytes([UInt8])
  }

  /// A subtree, and whether it would survive.
  public struct Subtree: Equatable, Sendable {
    /// What the device tree says of it.
    public let subtree: RootDeviceTree.Subtree
    /// Its size in bytes: as the device tree says, or, where it does not (`kho-v1`), as the blob's
    /// own header does; `nil` if neither contains it.
    public let byteCount: UInt64?
    /// Whether entries cover all of its pages; of a blob of unknown size, its first page.
    public let isPreserved: Bool
  }

  /// Choices that the bytes do not make.
  public struct Options: Equatable, Sendable {
    /// The size of the bitmaps of a `kho-v1` chunk list.
    public var chunkBitmapSize: ChunkBitmapSize = .deduced
    /// The defaults.
    public init() {}
  }

  /// Where the root device tree is; nil when it was given apart from memory.
  public let address: PhysicalAddress?
  /// The page size the handover was read with.
  public let geometry: PageGeometry
  /// What the root device tree says; nil when it is malformed.
  public let deviceTree: RootDeviceTree?
  /// The entries and what marks them; nil when nothing leads there.
  public private(set) var pages: PreservedPagesSurvey?
  /// The subtrees, in the order of the device tree.
  public private(set) var subtrees: [Subtree] = []

  private var ownFindings: [HandoverFinding] = []

  /// Reads the handover whose root device tree is at `source`.
  ///
  /// - Complexity: O(nodes · page size + runs · orders in use), at most O(memory · orders in use).
  public init<Memory: PhysicalMemory>(
    _ source: Source, in memory: Memory, geometry: PageGeometry, options: Options = Options()
  ) {
    // Mapped memory is read by code that was compiled for it.
    // SAFETY: the survey has copies of what it found, and not the map.
    let survey = unsafe memory.withDirectMap { Self(reading: source, in: $0, geometry, options) }
    self = survey ?? Self(reading: source, in: memory, geometry, options)
  }

  private init<Memory: PhysicalMemory>(
    reading source: Source, in memory: Memory, _ geometry: PageGeometry, _ options: Options
  ) {
    self.geometry = geometry
    var bytes: [UInt8] = []
    switch source {
    case .memory(let address):
      self.address = address
      do throws(HandoverFinding) {
        bytes = try memory.deviceTreeBytes(at: address)
      } catch {
        deviceTree = nil
        ownFindings = [error]
        return
      }
    case .bytes(let given):
      address = nil
      bytes = given
    }
    do throws(DeviceTreeError) {
      deviceTree = try RootDeviceTree(parsing: bytes)
    } catch {
      deviceTree = nil
      ownFindings = [.deviceTreeMalformed(error)]
      return
    }
    surveyPages(in: memory, options)
  }

  private mutating func surveyPages<Memory: PhysicalMemory>(in memory: Memory, _ options: Options) {
    guard let deviceTree else { return }
    ownFindings = deviceTree.findings
    guard let version = deviceTree.version, let map = deviceTree.map else { return }
    var pages =
      if let shape = version.radixGeometry(geometry) {
        PreservedPagesSurvey(RadixTreeReader(memory, geometry: shape, root: map))
      } else {
        PreservedPagesSurvey(
          chunkListAt: map, in: memory, geometry: geometry, bitmapSize: options.chunkBitmapSize)
      }

    // What must be covered by entries: the subtrees, and the device tree itself.
    var sizes: [UInt64?] = []
    var ranges: [PhysicalRange] = []
    for subtree in deviceTree.subtrees {
      let size = subtree.byteCount ?? memory.sizeInOwnHeader(subtree, version)
      sizes.append(size)
      ranges.append(Self.range(at: subtree.address, byteCount: size ?? 1))
    }
    var ownRange: PhysicalRange?
    if let address {
      let range = Self.range(at: address, byteCount: UInt64(deviceTree.byteCount))
      ranges.append(range)
      ownRange = range.isEmpty ? nil : deviceTreePages(range)
    } else {
      ranges.append(PhysicalRange(start: .zero, byteCount: 0))
    }
    let covered = pages.sweep(in: memory, deviceTree: ownRange, covering: ranges)

    for index in 0..<deviceTree.subtrees.count {
      let subtree = deviceTree.subtrees[index]
      let isInMemory = !ranges[index].isEmpty && memory.contains(ranges[index])
      let isPreserved = isInMemory && covered[index]
      subtrees.append(
        Subtree(subtree: subtree, byteCount: sizes[index], isPreserved: isPreserved))
      if !isInMemory {
        ownFindings.append(
          .subtreeOutsideMemory(
            name: subtree.name, address: subtree.address, byteCount: sizes[index]))
      } else if !isPreserved {
        ownFindings.append(
          .subtreeNotPreserved(name: subtree.name, address: subtree.address))
      }
    }
    if let address, covered.last == false {
      ownFindings.append(.deviceTreeNotPreserved(address))
    }
    self.pages = pages
  }

  /// The range; empty if it would run past 2^64.
  private static func range(at address: PhysicalAddress, byteCount: UInt64) -> PhysicalRange {
    PhysicalRange(checkedStart: address, byteCount: byteCount)
      ?? PhysicalRange(start: .zero, byteCount: 0)
  }

  /// The pages that the device tree itself may be an entry of: one block that just holds it.
  private func deviceTreePages(_ range: PhysicalRange) -> PhysicalRange {
    let pageByteCount = UInt64(geometry.pageByteCount)
    var byteCount = pageByteCount
    while byteCount < range.byteCount { byteCount &*= 2 }
    let start = PhysicalAddress(range.start.rawValue & ~(pageByteCount &- 1))
    return PhysicalRange(checkedStart: start, byteCount: byteCount) ?? range
  }

  /// What is wrong: with the device tree and the subtrees first, then with the entries.
  public var findings: [HandoverFinding] {
    ownFindings + (pages?.findings.findings ?? []).map { .pages($0) }
  }

  /// How many findings the limits of `FindingList` left out.
  public var omittedFindingCount: UInt64 { pages?.findings.omittedCount ?? 0 }

  /// Why a part of the handover, or all of it, cannot be read; nil if all of it was read.
  ///
  /// The first finding that hides entries.
  public var error: HandoverFinding? {
    for finding in ownFindings where finding.hidesEntries { return finding }
    for finding in pages?.findings.findings ?? [] where HandoverFinding.pages(finding).hidesEntries
    {
      return .pages(finding)
    }
    return nil
  }

  /// The number of findings of severity error, those not kept included.
  public var errorCount: UInt64 {
    UInt64(ownFindings.count { $0.severity == .error }) &+ (pages?.findings.errorCount ?? 0)
  }

  /// The first error that is not about one subtree only.
  var firstErrorOfWhole: HandoverFinding? {
    for finding in ownFindings where finding.severity == .error && !finding.isAboutSubtree {
      return finding
    }
    for finding in pages?.findings.findings ?? [] where finding.severity == .error {
      return .pages(finding)
    }
    return nil
  }

  /// The finding that the device tree does not contain the address, or the size, of a subtree.
  func damage(ofSubtreeNamed name: String, isInSize: Bool) -> HandoverFinding? {
    for index in ownFindings.indices {
      let wrong: String
      switch ownFindings[index] {
      case .subtreeAddressWrong(let name, _, _) where !isInSize: wrong = name
      case .subtreeSizeWrong(let name, _, _) where isInSize: wrong = name
      default: continue
      }
      if wrong.hasBytes(of: name) { return ownFindings[index] }
    }
    return nil
  }
}
