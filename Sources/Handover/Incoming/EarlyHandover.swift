public import DeviceTreeBlob
public import MemoryAccess
public import PageAllocation
public import PreservedPages

/// A handover in the first moments of a successor, before there is a heap: found, and kept out of the
/// early allocator's hands.
///
///     1. EarlyHandover(at:in:geometry:)   reads the root device tree
///     2. reserve(in:)                     walks the tree, and reserves what it finds
///     3. BuddyAllocator(from:)            everything else becomes free; now there can be a heap
///     4. IncomingHandover(at:in:…)        checks the whole of it, and restores
///
/// Nothing in it is trusted, and neither call needs a heap: the early allocator's list of reserved regions
/// is the only thing that grows, and it moves within scratch memory in scratch-only mode.
///
/// Source: `TheLifecycle.md`.
public struct EarlyHandover: Hashable, Sendable {
  /// The bytes of the root device tree.
  public let deviceTree: PhysicalRange
  /// The version of the formats.
  public let version: ABIVersion
  /// The root of the tree of entries; 0 when nothing is preserved.
  public let root: PhysicalAddress
  /// The shape of the tree.
  public let geometry: RadixGeometry

  /// Reads the root device tree at `address`.
  ///
  /// - Throws: ``EarlyHandoverError/unreadable(_:)``, ``EarlyHandoverError/tooLarge(byteCount:)``,
  ///   ``EarlyHandoverError/malformed(_:)``; ``EarlyHandoverError/versionUnknown`` of another format, and
  ///   of `kho-v1` and of `kho-v2` with pages of 16 KiB, whose entries cannot be distinguished from their bits
  ///   alone: those are for ``IncomingHandover``, which needs a heap; ``EarlyHandoverError/mapMissing``.
  /// - Complexity: O(device tree).
  public init<Memory: PhysicalMemory>(
    at address: PhysicalAddress, in memory: Memory, geometry: PageGeometry
  ) throws(EarlyHandoverError) {
    let headerByteCount = UInt64(DeviceTreeHeader.byteCount)
    guard let header = PhysicalRange(checkedStart: address, byteCount: headerByteCount) else {
      throw .unreadable(address)
    }
    let total = try memory.withBytes(in: header) { (bytes) throws(EarlyHandoverError) in
      do throws(DeviceTreeError) {
        return UInt64(try DeviceTreeHeader(parsing: bytes).totalByteCount)
      } catch {
        throw .malformed(error)
      }
    }
    guard let total else { throw .unreadable(address) }
    guard total <= RootDeviceTree.largestByteCount else { throw .tooLarge(byteCount: total) }
    guard let range = PhysicalRange(checkedStart: address, byteCount: total) else {
      throw .unreadable(address)
    }
    let found = try memory.withBytes(in: range) { (bytes) throws(EarlyHandoverError) in
      do throws(DeviceTreeError) {
        return try Self.read(bytes)
      } catch {
        throw .malformed(error)
      }
    }
    guard let found else { throw .unreadable(address) }
    guard let version = found.version, let shape = version.radixGeometry(geometry),
      !shape.dropsOrderZeroBit
    else { throw .versionUnknown }
    guard let root = found.root else { throw .mapMissing }
    deviceTree = range
    self.version = version
    self.root = root
    self.geometry = shape
  }

  private static func read(
    _ bytes: RawSpan
  ) throws(DeviceTreeError) -> (version: ABIVersion?, root: PhysicalAddress?) {
    let node = try DeviceTree(validating: bytes).root
    var version: ABIVersion?
    if let property = try node.property(named: "compatible"), let value = property.string {
      for known in ABIVersion.allCases where value.equals(known.compatible) { version = known }
    }
    let map = try node.property(named: RootDeviceTree.mapProperty)?.nativeUInt64
    return (version, map.map { PhysicalAddress($0) })
  }

  /// Reserves every entry, every node of the tree and the device tree in `memblock`.
  ///
  /// - Returns: what was found.
  /// - Throws: ``EarlyHandoverError/damaged(_:)``: the first thing that is wrong with the tree itself.
  ///   Whether entries overlap or are outside memory is for ``IncomingHandover`` to check.
  ///   ``EarlyHandoverError/notReserved(_:)`` where the allocator's list cannot grow, or is in preserved
  ///   memory already. Some of it may be reserved then.
  /// - Complexity: O(nodes · page size + runs · log regions), at most O(memory).
  @discardableResult
  public func reserve<Memory: WritablePhysicalMemory>(
    in memblock: inout Memblock<Memory>
  ) throws(EarlyHandoverError) -> EarlyHandoverSummary {
    let reader = RadixTreeReader(memblock.memory, geometry: geometry, root: root)
    var visitor = ReservingVisitor(memblock: memblock, geometry: geometry)
    reader.walk(&visitor)
    visitor.reserve(
      FrameRange(covering: deviceTree, in: geometry.page).range(in: geometry.page), flags: [])
    let error = visitor.error
    let summary = visitor.summary
    memblock = visitor.memblock
    if let error { throw error }
    return summary
  }
}

/// What ``EarlyHandover/reserve(in:)`` found.
public struct EarlyHandoverSummary: Hashable, Sendable {
  /// The number of entries.
  public internal(set) var entryCount: UInt64 = 0
  /// The number of runs of entries of one order within a leaf.
  public internal(set) var runCount: UInt64 = 0
  /// The number of nodes.
  public internal(set) var nodeCount: UInt64 = 0
}

/// Why a handover cannot be reserved.
@nonexhaustive
public enum EarlyHandoverError: Error, Hashable, Sendable {
  /// The root device tree is outside memory.
  case unreadable(PhysicalAddress)
  /// The root device tree is larger than any that is read.
  case tooLarge(byteCount: UInt64)
  /// The root device tree is malformed.
  case malformed(DeviceTreeError)
  /// The root device tree is that of another format, or of one that needs a heap.
  case versionUnknown
  /// The root device tree has no pointer to the entries, or one that is not 8 bytes long.
  case mapMissing
  /// The tree is damaged, so that entries may be missing.
  case damaged(PreservedPagesFinding)
  /// The early allocator refused.
  case notReserved(MemblockError)
}

/// Reserves what a walk reaches.
private struct ReservingVisitor<Memory: WritablePhysicalMemory>: RadixTreeVisitor, ~Copyable {
  var memblock: Memblock<Memory>
  let geometry: RadixGeometry
  var summary = EarlyHandoverSummary()
  var error: EarlyHandoverError?

  init(memblock: consuming Memblock<Memory>, geometry: RadixGeometry) {
    self.memblock = memblock
    self.geometry = geometry
  }

  mutating func enter(_ node: RadixNode, from place: PointerPlace) -> Bool {
    summary.nodeCount &+= 1
    reserve(geometry.page.page(at: node.address), flags: [])
    return error == nil
  }

  mutating func visitLeaf(_ leaf: RadixNode, bits: RawSpan) {
    geometry.forEachRun(of: leaf, bits: bits) { run in
      summary.entryCount &+= run.blockCount
      summary.runCount &+= 1
      reserve(run.range(in: geometry.page), flags: .preserved)
    }
  }

  mutating func report(_ finding: PreservedPagesFinding) {
    guard error == nil, finding.severity == .error else { return }
    error = .damaged(finding)
  }

  @inline(never)
  mutating func reserve(_ range: PhysicalRange, flags: RegionFlags) {
    guard error == nil else { return }
    do throws(MemblockError) { try memblock.reserve(range, flags: flags) } catch {
      self.error = .notReserved(error)
    }
  }
}
