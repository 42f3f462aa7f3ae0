import HandoverTestSupport
import KexecHandover
import Testing

/// The code of the article "Using the core in your kernel", run. `KernelExample.swift` and `OwnMemory.swift` are
/// links to the sources that the core's probe compiles as Embedded Swift.
@Suite(.namesCombination)
struct KernelExampleTests {
  /// A machine of 512 MiB. Its memory is mapped at some distance from its physical addresses, and its kernel's
  /// image has the first MiB.
  @safe
  private struct Machine: ~Copyable {
    let storage = UnsafeMutableRawBufferPointer.allocate(byteCount: 512 << 20, alignment: 1 << 12)
    let ranges = UnsafeMutableBufferPointer<PhysicalRange>.allocate(capacity: 1)
    let lists = UnsafeMutableRawBufferPointer.allocate(byteCount: 6 << 10, alignment: 8)
    let range = PhysicalRange(start: PhysicalAddress(1 << 20), byteCount: 512 << 20)
    var image: PhysicalRange { PhysicalRange(start: range.start, byteCount: 1 << 20) }
    var entry: PhysicalAddress { range.start.advanced(byBytes: 4096) }

    /// What a kernel that starts here has first.
    func makeMemblock() throws -> Memblock<KernelMemory> {
      let base = UInt(bitPattern: unsafe storage.baseAddress)
      unsafe ranges.initialize(repeating: range)
      // SAFETY: the storage lives as long as the machine.
      return unsafe try HandoverTests.makeMemblock(
        ranges, displacement: base &- UInt(range.start.rawValue), image: image, lists: lists)
    }

    deinit {
      unsafe storage.deallocate()
      unsafe ranges.deallocate()
      unsafe lists.deallocate()
    }
  }

  /// The folio to which "my-state" points. It must be an entry, and the handover sound.
  private static func folio(
    of entry: PhysicalAddress, in memory: KernelMemory
  ) throws -> PhysicalBlock {
    let record = try SetupDataRecord(at: entry, in: memory)
    var incoming = try IncomingHandover(at: record.deviceTree, in: memory, geometry: pages)
    #expect(incoming.survey.findings.isEmpty)
    #expect(incoming.survey.subtrees.map { $0.subtree.name } == ["my-state"])
    let state = try incoming.subtree(named: "my-state").subtree.address
    let address = memory.withWords(at: state, count: 1) { PhysicalAddress($0.load(0)) }
    let found = incoming.entry(holding: address)
    let folio = try #require(found)
    #expect(folio == PhysicalBlock(address: address, order: PageOrder(9)))
    // The folio, the page of the state and the root device tree.
    #expect(incoming.pages.entryCount == 3)
    return folio
  }

  @Test func generations() throws {
    let machine = Machine()
    var first = try machine.makeMemblock()
    let memory = first.memory
    try startCold(&first, entry: machine.entry, array: machine.entry.advanced(byBytes: 4096))
    let folio = try Self.folio(of: machine.entry, in: memory)
    let contents = folio.range(in: pages)
    memory.withMutableBytes(in: contents) { $0.fillBytes(seed: 1) }
    let wanted = memory.withBytes(in: contents) { $0.copiedBytes() }

    for generation in 2...4 {
      var memblock = try machine.makeMemblock()
      try goOn(&memblock, entry: machine.entry)
      #expect(try Self.folio(of: machine.entry, in: memory) == folio, "\(generation)")
      let isSame = memory.withBytes(in: contents) { $0.copiedBytes() } == wanted
      #expect(isSame, "\(generation)")
    }
  }

  /// Memory of one's own, as the article shows it: what is outside is not read, and a handover fits in.
  @Test func ownMemory() throws {
    let storage = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 1 << 12)
    defer { unsafe storage.deallocate() }
    let range = PhysicalRange(start: PhysicalAddress(1 << 30), byteCount: 1 << 20)
    guard let base = storage.baseAddress else { return }
    // SAFETY: the storage has as many bytes, and lives until the end.
    let memory = unsafe OwnMemory(range: range, base: base)
    let behind = PhysicalAddress((1 << 30) + (1 << 20))
    #expect(memory.storedRange(atOrAfter: .zero) == range)
    #expect(memory.storedRange(atOrAfter: behind) == nil)
    let overlapping = PhysicalRange(start: PhysicalAddress(behind.rawValue - 8), byteCount: 16)
    #expect(!memory.contains(overlapping))
    #expect(memory.withBytes(in: overlapping) { _ in true } == nil)
    let wild = PhysicalRange(start: PhysicalAddress(.max - 7), byteCount: 8)
    #expect(memory.withBytes(in: wild) { _ in true } == nil)

    let free = FrameRange(within: range, in: pages)
    var frames = try BuddyAllocator(
      free: [
        FrameRange(start: FrameNumber(free.start.rawValue + 1), frameCount: free.frameCount - 1)
      ],
      in: memory, geometry: pages)
    memory.withWords(at: range.start, count: 1) { $0.clear() }
    var handover = try OutgoingHandover(
      in: memory, geometry: pages, anchor: WordAnchor(at: range.start, in: memory), from: &frames)
    try handover.createSubtree(named: "state", byteCount: 8, from: &frames) { _ in }
    let survey = HandoverSurvey(
      .memory(handover.deviceTree.address), in: memory, geometry: pages)
    #expect(survey.findings.isEmpty)
    #expect(survey.subtrees.map { $0.subtree.name } == ["state"])
  }
}
