import Handover
import MemoryAccess
import ProcessHandover

/// Distinguishes the root device trees of a machine's handovers from others in its memory.
///
/// Three kinds of pages begin like the root of a handover and are not: pages of memory files, pages of captures in
/// the page cache, and device trees that were replaced. A root device tree whose entries can be read and include
/// its own page is a handover of the machine. Of the others:
///
/// - If it is marked as that of a memory file, or the superblock of a memory file contains its check value, it
///   belongs to the file.
/// - If it has the same entries as a root device tree of the machine, it is a copy of that one, or an earlier one.
///
/// All others are taken as handovers of the machine: they may be damaged.
struct RootSorting {
  /// The root device trees of handovers of the machine, in the order of their addresses.
  private(set) var own: [PhysicalAddress] = []
  /// The other root device trees, in the order of their addresses.
  private(set) var others: [HandoverImage.OtherRoot] = []

  /// - Complexity: O(*n*²) comparisons of *n* device trees, which the scanner limits, and that of a
  ///   ``HandoverSurvey`` for each that may belong to a file or be a copy.
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
      let result =
        HandoverSurvey(.memory(address), in: memory, geometry: geometry).containsItself
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
