package import Handover
package import MemoryAccess
import PreservedPages

/// What a successor finds in a handover, for comparison.
package struct HandoverState: Equatable, Sendable {
  /// A subtree and what is there.
  package struct Subtree: Equatable, Sendable {
    package let address: PhysicalAddress
    package let byteCount: UInt64?
    package let bytes: [UInt8]
  }

  /// Where the root device tree is.
  package let deviceTree: PhysicalAddress
  /// All entries, that of the device tree among them.
  package let entries: Set<PhysicalBlock>
  /// The subtrees by name.
  package let subtrees: [String: Subtree]
}

extension HandoverState {
  /// What differs from another state, without the bytes of subtrees.
  package func differences(from other: HandoverState) -> [String] {
    var found: [String] = []
    if deviceTree != other.deviceTree { found.append("device tree \(deviceTree)") }
    for block in entries.symmetricDifference(other.entries).sorted() {
      found.append(
        "\(entries.contains(block) ? "has" : "lacks") \(block.address) of \(block.order)")
    }
    for name in Set(subtrees.keys).union(other.subtrees.keys).sorted()
    where subtrees[name] != other.subtrees[name] {
      found.append("subtree \(name)")
    }
    return found
  }
}

/// A handover read from outside, as a successor does.
package struct SurveyedHandover: Sendable {
  /// Why a handover is not sound.
  package struct Unsound: Error {
    package let findings: [HandoverFinding]
  }

  package let survey: HandoverSurvey
  package let state: HandoverState
  /// The numbers of the frames that the tree's nodes are in.
  package let nodes: Set<UInt64>

  /// Reads the handover at `deviceTree`.
  ///
  /// - Throws: ``Unsound`` where there is anything beside notes, such as empty nodes.
  package init(
    at deviceTree: PhysicalAddress, in memory: some PhysicalMemory, geometry: PageGeometry
  ) throws {
    let survey = HandoverSurvey(.memory(deviceTree), in: memory, geometry: geometry)
    let findings = survey.findings.filter { $0.severity != .note }
    guard findings.isEmpty, survey.omittedFindingCount == 0 || survey.errorCount == 0,
      let pages = survey.pages
    else { throw Unsound(findings: findings) }
    var entries: Set<PhysicalBlock> = []
    pages.forEachBlock(in: memory) { entries.insert($0) }
    var subtrees: [String: HandoverState.Subtree] = [:]
    for found in survey.subtrees {
      let pageByteCount = UInt64(geometry.pageByteCount)
      let range = PhysicalRange(
        start: found.subtree.address, byteCount: found.byteCount ?? pageByteCount)
      subtrees[found.subtree.name] = HandoverState.Subtree(
        address: found.subtree.address, byteCount: found.byteCount,
        bytes: memory.withBytes(in: range) { $0.copiedBytes() } ?? [])
    }
    self.survey = survey
    state = HandoverState(deviceTree: deviceTree, entries: entries, subtrees: subtrees)
    nodes = Set(pages.nodes.map { FrameNumber(containing: $0, in: geometry).rawValue })
  }

  /// The entry that the root device tree is in.
  package var deviceTreeBlock: PhysicalBlock? {
    state.entries.first { $0.address == state.deviceTree }
  }

  /// The numbers of the frames of all entries.
  package func entryFrames(in geometry: PageGeometry) -> Set<UInt64> {
    var frames: Set<UInt64> = []
    for entry in state.entries {
      let range = FrameRange(entry, in: geometry)
      frames.formUnion(range.start.rawValue..<range.end.rawValue)
    }
    return frames
  }
}

extension OutgoingHandover where Anchor: ~Copyable {
  /// Goes on with the handover that was read, wherever its anchor leads.
  package static func adopting(
    _ found: SurveyedHandover, in memory: Memory, anchor: consuming Anchor,
    scratchAreas: [ScratchArea] = [], nodeStarts: [FrameNumber] = []
  ) throws -> OutgoingHandover {
    guard let tree = found.survey.deviceTree, let root = tree.map, let version = tree.version,
      let block = found.deviceTreeBlock
    else { throw SurveyedHandover.Unsound(findings: found.survey.findings) }
    return try OutgoingHandover(
      adopting: root, deviceTree: block, in: memory, geometry: found.survey.geometry,
      version: version, anchor: anchor, scratchAreas: scratchAreas, nodeStarts: nodeStarts)
  }
}
