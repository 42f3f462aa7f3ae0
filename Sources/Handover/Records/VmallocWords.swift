public import MemoryAccess

/// Reads the content of a vmalloc area word by word, holding one page of it at a time.
public struct VmallocWords<Memory: PhysicalMemory> {
  private let memory: Memory
  private let geometry: PageGeometry
  private var blocks: VmallocBlocks<Memory>
  private var page = WordPage()
  private var index = 0
  private var nextPage: PhysicalAddress = .zero
  /// How many pages of the current block have not been read.
  private var pageCount: UInt64 = 0

  /// The words of `area`.
  public init(_ area: VmallocArea, in memory: Memory, geometry: PageGeometry) {
    self.memory = memory
    self.geometry = geometry
    blocks = VmallocBlocks(area, in: memory, geometry: geometry)
  }

  /// The next word and where it is; nil after the last.
  ///
  /// - Throws: ``RecordError`` if the area breaks a rule or a page of it cannot be read.
  /// - Complexity: O(1), and O(page size) at the start of a page.
  public mutating func next() throws(RecordError) -> (word: UInt64, address: PhysicalAddress)? {
    if index == page.count {
      while pageCount == 0 {
        guard let step = try blocks.next() else { return nil }
        guard case .block(let block) = step else { continue }
        nextPage = block.address
        pageCount = block.order.frameCount
      }
      let range = geometry.page(at: nextPage)
      try page.load(range, from: memory)
      index = 0
      pageCount &-= 1
      nextPage = PhysicalAddress(nextPage.rawValue &+ range.byteCount)
    }
    let address = PhysicalAddress(page.start.rawValue &+ UInt64(index) &* 8)
    let word = page[index]
    index &+= 1
    return (word, address)
  }
}
