import Handover
import MemoryAccess
import ProcessHandover

/// Distinguishes the root device trees of a machine's handovers from others in its memory.
///
/// The page of a memory file, of a capture in the page cache, and of a device tree that was replaced begin
/// like the root of a handover. A root device tree whose tree can be read and contains its own page is the
/// machine's, whatever else it looks like. Of the others:
///
/// - One that is marked as a memory file's, or that the superblock of a memory file names by its check
///   value, is that file's.
/// - One with the same tree as a machine's root device tree is a copy of that one, or came before it.
///
/// Everything else may be a damaged handover of the machine, and stays.
struct RootSorting {
  private(set) var own: [PhysicalAddress] = []
  private(set) var others: [HandoverImage.OtherRoot] = []

  /// - Complexity: O(*n*²) comparisons of *n* device trees, which the scanner limits, and that of a
  ///   ``HandoverSurvey`` for each that may be another's.
  init(_ scanner: HandoverScanner, in memory: some PhysicalMemory, geometry: PageGeometry) {
    let checks = Set(
      scanner.memoryFiles.flatMap { SuperblockContents.deviceTreeChecks(inPageAt: $0, of: memory) })
    let roots = scanner.addresses.map { address in
      let bytes = (try? memory.deviceTreeBytes(at: address)) ?? []
      return (address: address, bytes: bytes, tree: try? RootDeviceTree(parsing: bytes))
    }
    var isSelfContained: [PhysicalAddress: Bool] = [:]
    func containsItself(_ address: PhysicalAddress) -> Bool {
      if let known = isSelfContained[address] { return known }
      let survey = HandoverSurvey(.memory(address), in: memory, geometry: geometry)
      let isMissing = survey.findings.contains {
        if case .deviceTreeNotPreserved = $0 { true } else { false }
      }
      let result = survey.error == nil && survey.pages != nil && !isMissing
      isSelfContained[address] = result
      return result
    }
    for root in roots {
      let isMarked = root.tree?.isOfMemoryFile ?? false
      let isNamed =
        !checks.isEmpty
        && memory.deviceTreeCheck(at: root.address).map(checks.contains) ?? false
      if isMarked || isNamed {
        if containsItself(root.address) {
          own.append(root.address)
        } else {
          others.append(.init(address: root.address, kind: .memoryFile))
        }
        continue
      }
      let alike = roots.filter { other in
        other.address != root.address && other.tree?.map == root.tree?.map
          && root.tree?.map != nil && root.tree?.map != .zero
      }
      guard !alike.isEmpty, !containsItself(root.address),
        let original = alike.first(where: { containsItself($0.address) })
      else {
        own.append(root.address)
        continue
      }
      others.append(
        .init(
          address: root.address,
          kind: root.bytes == original.bytes
            ? .copy(of: original.address) : .superseded(by: original.address)))
    }
  }
}
