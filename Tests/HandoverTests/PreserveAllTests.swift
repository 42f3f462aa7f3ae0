import HandoverTestSupport
import KexecHandover
import Testing

/// A kernel that hands on everything that came in, and the record that a successor's self-test checks.
@Suite(.namesCombination)
struct PreserveAllTests {
  private static func entries(_ found: SurveyedHandover) -> Set<PhysicalBlock> {
    var blocks = Set(found.state.entries)
    if let own = found.deviceTreeBlock { blocks.remove(own) }
    return blocks
  }

  @Test(arguments: [6, 12, 16])
  func everythingGoesOn(shift: Int) throws {
    var bench = try HandoverBench(shift: shift)
    try HandoverScenario.populate(&bench)
    _ = try bench.handover.createSubtree(named: "one", byteCount: 700, from: &bench.frames) {
      $0.fillBytes(seed: 1)
    }
    let before = try bench.survey()
    var successor = try Successor(copying: bench)
    let restored = try #require(Self.entries(before).min())
    try successor.restore(restored)
    let journal = successor.memory.journal
    let anchor = RecordingAnchor.State()
    var next = try OutgoingHandover(
      in: successor.memory, geometry: bench.geometry,
      anchor: RecordingAnchor(anchor, journal: journal), from: &successor.frames)
    let emptyState = try SurveyedHandover(
      at: anchor.deviceTree, in: successor.memory, geometry: bench.geometry
    ).state
    // With the first frame missing, the second, and so on: all or nothing.
    var take = 1
    while true {
      successor.frames.takesUntilFailure = take
      var failure: OutgoingHandoverError?
      do throws(OutgoingHandoverError) {
        let count = try next.preserveAll(of: successor.incoming, from: &successor.frames)
        #expect(count == UInt64(Self.entries(before).count - 1))
      } catch {
        failure = error
      }
      let wasReached = successor.frames.takesUntilFailure == nil
      successor.frames.takesUntilFailure = nil
      let found = try SurveyedHandover(
        at: anchor.deviceTree, in: successor.memory, geometry: bench.geometry)
      guard let failure else {
        #expect(!wasReached)
        #expect(Self.entries(found) == Self.entries(before).subtracting([restored]))
        let kept = before.state.subtrees.filter { $0.value.address != restored.address }
        #expect(found.state.subtrees == kept)
        break
      }
      guard wasReached, case .outOfFrames = failure else { throw failure }
      try #require(found.state.subtrees == emptyState.subtrees)
      try #require(Self.entries(found).isEmpty)
      take += 1
    }
    #expect(take > 3)
  }

  /// A name is not handed on if its memory was restored: whether it was freed and has another owner now, or its
  /// owner preserved it again.
  @Test(arguments: [6, 12, 16])
  func namesOfRestoredMemoryStayOut(shift: Int) throws {
    var bench = try HandoverBench(shift: shift)
    // More than a page, so that a part of it can be restored.
    let byteCount = UInt64(3 << shift)
    for name in ["freed", "kept", "in-part", "not-restored"] {
      try bench.handover.createSubtree(named: name, byteCount: byteCount, from: &bench.frames) {
        $0.fillBytes(seed: name.utf8.count)
      }
    }
    var successor = try Successor(copying: bench)
    let runs = try ["freed", "kept", "in-part"].map { name in
      let found = try bench.handover.subtree(named: name)
      let start = try #require(found).address
      return FrameRange(
        covering: PhysicalRange(start: start, byteCount: byteCount), in: bench.geometry)
    }
    let (freed, kept, inPart) = (runs[0], runs[1], runs[2])
    try successor.restore(freed)
    try successor.restore(kept)
    let last = FrameNumber(inPart.start.rawValue + 2).address(in: bench.geometry)
    let entry = successor.incoming.entry(holding: last)
    let part = try #require(entry)
    try successor.restore(part)

    let anchor = RecordingAnchor.State()
    var next = try OutgoingHandover(
      in: successor.memory, geometry: bench.geometry,
      anchor: RecordingAnchor(anchor, journal: successor.memory.journal), from: &successor.frames)
    // As if the frames had been freed, and another owner had got and preserved them.
    try next.preserve(freed, from: &successor.frames)
    try next.preserve(kept, from: &successor.frames)
    try next.preserve(part, from: &successor.frames)
    try next.preserveAll(of: successor.incoming, from: &successor.frames)
    let names = try next.rootDeviceTree().subtrees.map(\.name)
    #expect(names == ["not-restored"])
    let range = kept.range(in: bench.geometry)
    try next.addSubtree(range, named: "kept", from: &successor.frames)
  }

  @Test(arguments: [6, 12, 16])
  func testRecord(shift: Int) throws {
    var bench = try HandoverBench(shift: shift)
    try HandoverScenario.populate(&bench)
    var folios: [PhysicalBlock] = []
    var sum = KHOTestChecksum(.x86_64)
    for order in [0, 2, 1, 0, 3, 0, 0, 0, 1] {
      let folio = try bench.handover.allocatePreserved(PageOrder(order), from: &bench.frames)
      let range = folio.range(in: bench.geometry)
      bench.memory.withMutableBytes(in: range) { $0.fillBytes(seed: order) }
      bench.memory.withBytes(in: range) { sum.add($0) }
      folios.append(folio)
    }
    let checksum = sum
    let other = try bench.take(0)
    #expect(throws: OutgoingHandoverError.notPreserved(other)) {
      try bench.handover.addTestRecord(of: [other], checksum: checksum, from: &bench.frames)
    }
    let failureCount = try bench.failEveryTake { bench throws(OutgoingHandoverError) in
      try bench.handover.addTestRecord(of: folios, checksum: checksum, from: &bench.frames)
    }
    #expect(failureCount > 3)
    let subtree = try #require(try bench.handover.subtree(named: KHOTestRecord.subtreeName))
    let record = try KHOTestRecord(
      at: subtree.address, byteCount: subtree.byteCount, in: bench.memory,
      geometry: bench.geometry)
    #expect(record.checksum == checksum.value)
    #expect(record.folioCount == 9)
    var list = KHOTestFolios(of: record, in: bench.memory, geometry: bench.geometry)
    var found: [PhysicalBlock] = []
    while let folio = try list.next() { found.append(folio) }
    #expect(found == folios)
    let findings = try bench.survey().survey.checkRecords(in: bench.memory).findings
    #expect(findings.isEmpty, "\(findings)")
  }

  /// The sums against their definitions, word by word.
  @Test func checksums() throws {
    var generator = SeededGenerator(seed: 6)
    for length in [0, 1, 7, 512] {
      for kind in 0..<4 {
        let folios: [[UInt64]] = (0..<3).map { _ in
          (0..<length).map { _ in
            switch kind {
            case 0: 0
            case 1: .max
            case 2: 0xffff_ffff
            default: generator.next()
            }
          }
        }
        var x86 = KHOTestChecksum(.x86_64)
        var arm = KHOTestChecksum(.arm64)
        var whole: UInt64 = 0
        var carried: UInt64 = 0
        for folio in folios {
          let bytes = folio.flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
          }
          bytes.withRawSpan { span in
            x86.add(span)
            arm.add(span)
          }
          var part: UInt64 = 0
          for word in folio {
            whole = (whole + word % 0xffff_ffff) % 0xffff_ffff
            part = (part + word % 0xffff) % 0xffff
          }
          if folio.contains(where: { $0 != 0 }) { carried += part == 0 ? 0xffff : part }
        }
        let isZero = folios.allSatisfy { $0.allSatisfy { $0 == 0 } }
        #expect(UInt64(x86.value) == (isZero ? 0 : whole == 0 ? 0xffff_ffff : whole))
        #expect(UInt64(arm.value) == carried)
        #expect(UInt64(x86.value) % 0xffff == UInt64(arm.value) % 0xffff)
      }
    }
  }

  /// What Linux itself wrote: where an image holds the folios' contents, the sum is the recorded one.
  @Test(arguments: Fixture.all)
  func checksumsOfRealKernels(_ fixture: Fixture) throws {
    let image = try fixture.open()
    for expected in try fixture.expectations().handovers where expected.readable == true {
      let geometry = PageGeometry(shift: try fixture.expectations().pageShift)
      let survey = HandoverSurvey(
        .memory(PhysicalAddress(expected.fdtAddress)), in: image, geometry: geometry)
      let names = survey.subtrees.map(\.subtree)
      guard let subtree = names.first(where: { $0.name == KHOTestRecord.subtreeName }) else {
        continue
      }
      let record = try KHOTestRecord(
        at: subtree.address, byteCount: subtree.byteCount, in: image, geometry: geometry)
      var folios = KHOTestFolios(of: record, in: image, geometry: geometry)
      var sum = KHOTestChecksum(.x86_64)
      var isStored = true
      while let folio = try folios.next() {
        let range = folio.range(in: geometry)
        isStored = isStored && image.storedRange(atOrAfter: range.start)?.contains(range) == true
        if isStored { image.withBytes(in: range) { sum.add($0) } }
      }
      if isStored { #expect(sum.value == record.checksum) }
    }
  }
}
