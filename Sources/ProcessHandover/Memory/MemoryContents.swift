public import Handover
public import MemoryAccess
import PreservedPages

/// Why what a memory file holds cannot be taken over. The file is as it was then.
@nonexhaustive
public enum MemoryContentsError: Error, Hashable, Sendable {
  /// The superblock cannot be used.
  case superblock(SuperblockError)
  /// The root device tree is not as it was written: its check value does not fit.
  case deviceTreeChanged(PhysicalAddress)
  /// The handover is damaged; the first thing that is wrong.
  case damaged(HandoverFinding)
  /// The handover is of a version that is read, and not written.
  case versionNotWritable(ABIVersion)
  /// The change that was being made cannot be completed: its record is damaged.
  case changeDamaged
  /// The ledger of the collections is of a layout that this version does not know.
  case ledgerVersionUnknown(UInt64)
}

/// What a memory file holds, checked and not yet touched.
///
/// The same for a process that takes the memory over and for a tool that only looks.
public struct MemoryContents: Sendable {
  /// What the superblock says.
  public let superblock: SuperblockContents
  /// The handover; nil where none was begun.
  public let survey: HandoverSurvey?
  /// Whether the root device tree is as it was written.
  public let isDeviceTreeSound: Bool

  /// Reads `memory`, of which no byte is trusted.
  ///
  /// A file whose last owner was killed in the middle of a change is read as it is there; the change
  /// is completed by the process that takes it over.
  ///
  /// - Throws: ``MemoryContentsError/superblock(_:)``.
  /// - Complexity: O(nodes · page size + runs · orders in use).
  public init(reading memory: some PhysicalMemory) throws(MemoryContentsError) {
    let superblock: SuperblockContents
    do throws(SuperblockError) {
      superblock = try SuperblockContents(reading: memory)
    } catch {
      throw .superblock(error)
    }
    self.superblock = superblock
    guard superblock.state.deviceTree != .zero else {
      survey = nil
      isDeviceTreeSound = true
      return
    }
    let range = PhysicalRange(start: .zero, byteCount: superblock.state.byteCount)
    // SAFETY: what is read is a copy, without the map.
    let mapped = unsafe memory.withDirectMap { map in
      map.intersection(range).map { Self.handover(of: superblock, in: $0) }
    }
    (survey, isDeviceTreeSound) =
      (mapped ?? nil) ?? Self.handover(of: superblock, in: BoundedMemory(memory, range))
  }

  /// Reads the handover that `superblock` names, in the memory that it says is there.
  private static func handover(
    of superblock: SuperblockContents, in memory: some PhysicalMemory
  ) -> (survey: HandoverSurvey?, isDeviceTreeSound: Bool) {
    let deviceTree = superblock.state.deviceTree
    let check = memory.deviceTreeCheck(at: deviceTree)
    let survey = HandoverSurvey(.memory(deviceTree), in: memory, geometry: superblock.geometry)
    return (survey, check == superblock.state.deviceTreeCheck)
  }

  /// Checks that the handover is sound in every part.
  ///
  /// - Throws: ``MemoryContentsError/damaged(_:)``, ``MemoryContentsError/versionNotWritable(_:)``.
  func requireSound() throws(MemoryContentsError) {
    guard let survey else { return }
    let deviceTree = superblock.state.deviceTree
    guard isDeviceTreeSound else { throw .deviceTreeChanged(deviceTree) }
    for finding in survey.findings {
      if finding.severity == .error || finding == .deviceTreeNotPreserved(deviceTree) {
        throw .damaged(finding)
      }
    }
    guard let version = survey.deviceTree?.version, survey.pages != nil else {
      throw .damaged(survey.error ?? .mapMissing)
    }
    if version == .v1 { throw .versionNotWritable(version) }
  }
}

/// The first bytes of memory, and nothing behind them: a pointer there leads nowhere.
struct BoundedMemory<Base: PhysicalMemory>: PhysicalMemory {
  let base: Base
  let range: PhysicalRange

  init(_ base: Base, _ range: PhysicalRange) {
    self.base = base
    self.range = range
  }

  func contains(_ other: PhysicalRange) -> Bool { range.contains(other) && base.contains(other) }

  func withBytes<Result: ~Copyable, Failure: Error>(
    in wanted: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard range.contains(wanted) else { return nil }
    return try base.withBytes(in: wanted, body)
  }

  @unsafe
  func withDirectMap<Result: ~Copyable, Failure: Error>(
    _ body: (DirectMap) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    // SAFETY: only `body` gets a part of the map, and it keeps to the rule that this function has as well.
    let result = unsafe try base.withDirectMap { (map) throws(Failure) -> Result? in
      guard let part = map.intersection(range) else { return nil }
      return try body(part)
    }
    return result ?? nil
  }

  func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    base.storedRange(atOrAfter: address)?.intersection(range)
  }

  var byteCount: UInt64 { min(base.byteCount, range.byteCount) }

  func finishedReading(_ wanted: PhysicalRange) { base.finishedReading(wanted) }
}
