import KexecHandover
import SystemPackage

/// Looks at a memory file after a kill: everything that is in it, against what the journal says.
struct TortureExaminer {
  let geometry: PageGeometry
  /// How many bytes of objects were compared with what they should be.
  var comparedByteCount: UInt64 = 0

  init(_ geometry: PageGeometry) { self.geometry = geometry }

  /// Reads the file as a foreign process would, and finds no error, also where a
  /// change is half made.
  ///
  /// - Returns: what the superblock says.
  func lookAsStranger(at path: FilePath) throws(TortureFailure) -> SuperblockState {
    let image: MemoryImage
    do throws(MemoryImageError) { image = try MemoryImage.open(path, base: .zero) } catch {
      throw TortureFailure("the file cannot be read: \(error.sentence)")
    }
    let contents = try contents(of: image)
    guard let survey = contents.survey else {
      throw TortureFailure("the file has its name, and no handover")
    }
    for finding in survey.findings where finding.severity == .error {
      throw TortureFailure("a stranger finds \(finding.code): \(finding.sentence)")
    }
    return contents.superblock.state
  }

  /// What memory holds that was taken over.
  func observe(_ memory: inout PreservedMemory) throws(TortureFailure) -> ObservedMemory {
    let freeByteCount: UInt64
    do throws(PreservedMemoryError) { freeByteCount = try memory.freeByteCount() } catch {
      throw TortureFailure("free memory cannot be counted: \(error.sentence)")
    }
    return try ObservedMemory(
      contents(of: memory.file), in: memory.file, freeByteCount: freeByteCount)
  }

  private func contents(of memory: some PhysicalMemory) throws(TortureFailure) -> MemoryContents {
    do throws(MemoryContentsError) { return try MemoryContents(reading: memory) } catch {
      throw TortureFailure("the file cannot be read: \(error.sentence)")
    }
  }

  /// What differs between memory and the model; nil where nothing does.
  mutating func difference(
    _ model: TortureModel, _ observed: ObservedMemory, in memory: some PhysicalMemory
  ) -> String? {
    let names = model.objects.filter(\.isNamed).map(\.name).sorted()
    if names != observed.regions.keys.sorted() {
      return namesDifference(Set(names), Set(observed.regions.keys))
    }
    var entries: [PhysicalBlock] = [observed.deviceTree]
    var layouts: [TortureLayout] = []
    for object in model.objects {
      if let found = observed.regions[object.name], object.isNamed,
        found != object.range(in: geometry)
      {
        return "\(object.name) is at \(found), and not at \(object.range(in: geometry))"
      }
      guard let layout = TortureLayout(of: object, in: memory, geometry: geometry) else {
        return "\(object.name), an \(object.title), cannot be read"
      }
      guard layout.digest == object.digest || object.kind != .area else {
        return "\(object.name), an \(object.title), has other blocks than it had"
      }
      entries += layout.entries
      layouts.append(layout)
    }
    entries.sort()
    if entries != observed.entries {
      return entriesDifference(Set(entries), Set(observed.entries))
    }
    for (object, layout) in zip(model.objects, layouts) {
      if let wrong = object.firstWrongByte(in: memory, layout, geometry: geometry) {
        return "\(object.name), a \(object.title), is wrong at \(wrong)"
      }
      comparedByteCount &+= layout.extents.reduce(0) { $0 &+ $1.range.byteCount }
    }
    return nil
  }

  private func namesDifference(_ wanted: Set<String>, _ found: Set<String>) -> String {
    if let lost = wanted.subtracting(found).first { return "\(lost) is gone" }
    if let new = found.subtracting(wanted).first { return "\(printable(new)) came from nowhere" }
    return "a name is there twice"
  }

  private func entriesDifference(
    _ wanted: Set<PhysicalBlock>, _ found: Set<PhysicalBlock>
  ) -> String {
    let lost = wanted.subtracting(found)
    let new = found.subtracting(wanted)
    if let block = lost.min() {
      return "\(countText(lost.count, "block is", "blocks are")) not preserved any more, the "
        + "first of order \(block.order) at \(block.address)"
    }
    if let block = new.min() {
      return
        "\(countText(new.count, "block is", "blocks are")) preserved without an owner, the first "
        + "of order \(block.order) at \(block.address)"
    }
    return "a block is preserved twice"
  }
}

/// What was found in memory that was taken over.
struct ObservedMemory {
  let state: SuperblockState
  /// Sorted by address.
  let entries: [PhysicalBlock]
  /// The block of the device tree.
  let deviceTree: PhysicalBlock
  let regions: [String: PhysicalRange]

  /// Reads it all, and checks what does not depend on what should be there.
  fileprivate init(
    _ contents: MemoryContents, in memory: some PhysicalMemory, freeByteCount: UInt64
  ) throws(TortureFailure) {
    let geometry = contents.superblock.geometry
    state = contents.superblock.state
    guard let survey = contents.survey, let pages = survey.pages else {
      throw TortureFailure("the handover is gone")
    }
    // Empty nodes would be a note; the process that takes the memory over frees them.
    if let finding = survey.findings.first {
      throw TortureFailure("after the take-over: \(finding.code): \(finding.sentence)")
    }
    guard state.change == nil, !state.isBuildingNext else {
      throw TortureFailure("after the take-over a change is still recorded")
    }
    var entries: [PhysicalBlock] = []
    pages.forEachBlock(in: memory) { entries.append($0) }
    self.entries = entries
    guard
      let block = entries.first(where: { $0.range(in: geometry).contains(survey.address ?? .zero) })
    else { throw TortureFailure("the device tree is not preserved") }
    deviceTree = block
    var regions: [String: PhysicalRange] = [:]
    for subtree in survey.subtrees {
      regions[subtree.subtree.name] = PhysicalRange(
        checkedStart: subtree.subtree.address, byteCount: subtree.byteCount ?? 0)
    }
    self.regions = regions
    // Every frame is the superblock, a node, preserved, or free.
    let used =
      pages.preservedByteCount &+ pages.metadataByteCount &+ UInt64(geometry.pageByteCount)
    guard used &+ freeByteCount == state.byteCount else {
      throw TortureFailure(
        "of \(state.byteCount) bytes \(used) are in use and \(freeByteCount) are free")
    }
  }
}
