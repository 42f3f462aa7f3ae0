import MemoryAccess

/// A chain of pages of words, written word by word into frames of a source.
///
/// ```
/// page: | next page | word | word | … | 0 |
/// ```
///
/// The chunks of a vmalloc area have this form (`FormatBlocks.md`), and the lists of keys that a
/// ``HandoverChange`` points to.
struct PageChain<Memory: WritablePhysicalMemory> {
  private let memory: Memory
  private let geometry: PageGeometry
  /// The first page; 0 if none exists.
  private(set) var first = PhysicalAddress.zero
  private var last = PhysicalAddress.zero
  /// The next word of the last page.
  private var word: Int

  /// A chain of no words.
  init(in memory: Memory, geometry: PageGeometry) {
    self.memory = memory
    self.geometry = geometry
    word = geometry.pageWordCount
  }

  /// Adds a word behind the others.
  ///
  /// - Throws: ``OutgoingHandoverError/outOfFrames(frameCount:)`` if no frame is free for a page.
  /// - Precondition: the word is not 0, which ends a page.
  mutating func append<Frames: FrameSource & ~Copyable>(
    _ value: UInt64, from frames: inout Frames
  ) throws(OutgoingHandoverError) {
    require(that: value != 0, "a word that ends a page of words")
    if word == geometry.pageWordCount {
      guard let page = frames.takeFrame() else { throw .outOfFrames(frameCount: 1) }
      if first == .zero { first = page } else { store(page.rawValue, at: 0) }
      last = page
      word = 1
    }
    store(value, at: word)
    word &+= 1
  }

  private func store(_ value: UInt64, at index: Int) {
    memory.withWords(at: last, count: geometry.pageWordCount) { $0.publish(value, at: index) }
  }
}

extension WritablePhysicalMemory {
  /// Gives back the pages of a chain that is whole, after calling `body` with each of its words.
  func giveBackChain<Frames: BlockSource & ~Copyable>(
    from first: PhysicalAddress, to frames: inout Frames, _ geometry: PageGeometry,
    _ body: (UInt64, inout Frames) -> Void
  ) {
    var page = first
    while page != .zero {
      let next = word(0, ofPage: page, geometry)
      for index in 1..<geometry.pageWordCount {
        let value = word(index, ofPage: page, geometry)
        if value == 0 { break }
        body(value, &frames)
      }
      // Read before it is given back: a source may keep its list in the frame.
      frames.giveBack(page)
      page = PhysicalAddress(next)
    }
  }

  private func word(
    _ index: Int, ofPage page: PhysicalAddress, _ geometry: PageGeometry
  ) -> UInt64 {
    withWords(at: page, count: geometry.pageWordCount) { $0.load(index) }
  }
}
