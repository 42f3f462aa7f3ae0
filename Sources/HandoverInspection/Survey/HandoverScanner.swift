import DeviceTreeBlob
import Handover
public import MemoryAccess
import ProcessHandover

/// Finds the root device trees in memory, by looking at the start of every page.
public struct HandoverScanner: Sendable {
  /// The addresses of pages that claim to be the root of a handover, sound or not, lowest first.
  public private(set) var addresses: [PhysicalAddress] = []
  /// Pages that begin like a memory file, lowest first; ``limit`` at most.
  package private(set) var memoryFiles: [PhysicalAddress] = []
  /// What resembles a boot anchor, in the order of the addresses; ``limit`` at most.
  package private(set) var bootAnchors: [BootAnchor] = []
  /// How many such pages were found beyond ``limit``.
  public private(set) var omittedCount: UInt64 = 0

  /// The most handovers that are kept; an image of a machine holds two.
  public static var limit: Int { 64 }

  /// The distance of the places looked at: the smallest page of any machine that has KHO, in bytes.
  static let step: UInt64 = 4096
  /// How much memory is looked at before it is called read, in bytes.
  static let window: UInt64 = 16 << 20

  /// Scans all of `memory` that is stored; holes of a sparse image are skipped.
  ///
  /// - Parameter memory: the memory.
  /// - Parameter progress: called now and then with the number of bytes scanned so far.
  /// - Complexity: O(stored pages).
  public init<Memory: PhysicalMemory>(
    _ memory: Memory, progress: (_ byteCount: UInt64) -> Void = { _ in }
  ) {
    var scannedByteCount: UInt64 = 0
    var next: PhysicalAddress? = .zero
    while let from = next, let range = memory.storedRange(atOrAfter: from), let last = range.last {
      let end = min(last.rawValue, range.start.rawValue | (Self.window &- 1))
      scan(from: range.start.rawValue, through: end, in: memory)
      let byteCount = end &- range.start.rawValue &+ 1
      memory.finishedReading(PhysicalRange(start: range.start, byteCount: byteCount))
      scannedByteCount &+= byteCount
      progress(scannedByteCount)
      next = end == .max ? nil : PhysicalAddress(end &+ 1)
    }
  }

  /// Looks only at `places`, for memory that is searched faster by other means.
  ///
  /// - Complexity: O(places).
  public init<Memory: PhysicalMemory>(
    _ memory: Memory, at places: some Sequence<PhysicalAddress>
  ) {
    for place in places where isRoot(place, in: memory) { note(place) }
  }

  private mutating func note(_ address: PhysicalAddress) {
    if addresses.count < Self.limit {
      addresses.append(address)
    } else {
      omittedCount &+= 1
    }
  }

  private mutating func scan<Memory: PhysicalMemory>(
    from start: UInt64, through end: UInt64, in memory: Memory
  ) {
    let headerByteCount = UInt64(DeviceTreeHeader.byteCount)
    var page = start &+ (0 &- start) % Self.step
    while page >= start, page <= end {
      let address = PhysicalAddress(page)
      let header = PhysicalRange(checkedStart: address, byteCount: headerByteCount)
      switch header.flatMap({ memory.withBytes(in: $0) { Self.kind(ofPageBeginningWith: $0) } }) {
      case .deviceTree:
        if isRoot(address, in: memory) {
          note(address)
        } else {
          note(BootAnchor.machineTree(address))
        }
      case .memoryFile: if memoryFiles.count < Self.limit { memoryFiles.append(address) }
      case .other: scanForSetupData(address, through: end, in: memory)
      case nil: break
      }
      page &+= Self.step
    }
  }

  /// Looks for entries of setup data, which begin at any multiple of 8 bytes.
  private mutating func scanForSetupData<Memory: PhysicalMemory>(
    _ page: PhysicalAddress, through end: UInt64, in memory: Memory
  ) {
    let byteCount = min(Self.step, end &- page.rawValue &+ 1)
    guard let range = PhysicalRange(checkedStart: page, byteCount: byteCount) else { return }
    memory.withBytes(in: range) { bytes in
      var offset = bytes.firstOffset(ofWord: SetupDataRecord.typeAndLengthWord)
      while let found = offset {
        let entry = page.rawValue &+ UInt64(found)
        if entry >= 8 { note(BootAnchor.setupData(PhysicalAddress(entry &- 8))) }
        offset = bytes.firstOffset(ofWord: SetupDataRecord.typeAndLengthWord, from: found &+ 8)
      }
    }
  }

  private mutating func note(_ anchor: BootAnchor) {
    if bootAnchors.count < Self.limit { bootAnchors.append(anchor) }
  }

  private enum PageKind {
    case deviceTree, memoryFile, other
  }

  private static func kind(ofPageBeginningWith bytes: RawSpan) -> PageKind {
    if resemblesHeader(bytes) { return .deviceTree }
    return SuperblockContents.isFirstPage(bytes) ? .memoryFile : .other
  }

  /// Whether the bytes begin like a device tree: the magic, or, where that is damaged, the versions
  /// that Linux writes.
  private static func resemblesHeader(_ bytes: RawSpan) -> Bool {
    if bytes.uint32(atByte: 0).map(UInt32.init(bigEndian:)) == DeviceTreeHeader.magic {
      return true
    }
    return bytes.uint32(atByte: 20).map(UInt32.init(bigEndian:))
      == DeviceTreeHeader.currentVersion
      && bytes.uint32(atByte: 24).map(UInt32.init(bigEndian:))
        == DeviceTreeHeader.oldestVersion
  }

  /// Whether the page at `address` claims to be the root of a handover.
  ///
  /// A device tree that can be read claims it itself. The page of a damaged one must contain the name of the property
  /// that points to the entries.
  private func isRoot<Memory: PhysicalMemory>(
    _ address: PhysicalAddress, in memory: Memory
  ) -> Bool {
    if let bytes = try? memory.deviceTreeBytes(at: address),
      let tree = try? RootDeviceTree(parsing: bytes)
    {
      return tree.claimsToBeRoot
    }
    let page = PhysicalRange(checkedStart: address, byteCount: Self.step)
    guard let page else { return false }
    return memory.withBytes(in: page) { $0.holds(RootDeviceTree.mapProperty) } ?? false
  }
}

extension RawSpan {
  /// Whether the bytes contain the characters of `text`.
  fileprivate func holds(_ text: String) -> Bool {
    let wanted = Array(text.utf8)
    guard byteCount >= wanted.count else { return false }
    for start in 0...(byteCount &- wanted.count) where byte(at: start) == wanted[0] {
      if wanted.indices.allSatisfy({ byte(at: start &+ $0) == wanted[$0] }) { return true }
    }
    return false
  }
}
