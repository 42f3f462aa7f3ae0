public import MemoryAccess

/// Reads the chunks of an untrusted vmalloc area, and the blocks they name, in order.
///
/// ```
/// chunk, one page: | next chunk | block | block | … | 0 |
/// ```
///
/// Source: `FormatBlocks.md`.
public struct VmallocBlocks<Memory: PhysicalMemory> {
  /// What comes next.
  public enum Step: Hashable, Sendable {
    /// The page of a chunk, before anything in it.
    case chunk(PhysicalAddress)
    /// A block of the area.
    case block(PhysicalBlock)
  }

  private let memory: Memory
  private let geometry: PageGeometry
  private let area: VmallocArea

  private var page = WordPage()
  /// The next word of `page`; at its end, the chunk is read.
  private var index = 0
  private var nextChunk: PhysicalAddress
  /// Where the pointer to the next chunk is; nil of the first.
  private var link: PhysicalAddress?
  /// A chunk that was announced and is to be read now.
  private var announced: PhysicalAddress?
  private var chain = ChainGuard()
  private var pageCount: UInt64 = 0
  private var chunkCount: UInt64 = 0
  /// Whether the chunk before this one has no word left.
  private var wasFull = false

  /// The blocks of `area`.
  public init(_ area: VmallocArea, in memory: Memory, geometry: PageGeometry) {
    self.memory = memory
    self.geometry = geometry
    self.area = area
    nextChunk = area.firstChunk
  }

  /// The next chunk or block; nil after the last.
  ///
  /// - Throws: ``RecordError`` if the area breaks a rule; what was returned before is valid.
  /// - Complexity: O(1), and O(page size) for a chunk. The area has no more blocks than it has
  ///   pages.
  public mutating func next() throws(RecordError) -> Step? {
    while true {
      if let chunk = announced {
        announced = nil
        try page.load(geometry.page(at: chunk), from: memory)
        nextChunk = PhysicalAddress(page[0])
        link = chunk
        index = 1
        let isFirst = chunkCount == 0
        chunkCount &+= 1
        guard page.count > 1, page[1] != 0 else {
          // Where the blocks just fill a chunk, Linux appends an empty one.
          guard !isFirst, wasFull, nextChunk == .zero, pageCount == UInt64(area.pageCount) else {
            throw .chunkEmpty(chunk)
          }
          return nil
        }
        wasFull = page[page.count &- 1] != 0
      }
      if index < page.count {
        let pointer = page[index]
        index &+= 1
        if pointer != 0 {
          let place = PhysicalAddress(page.start.rawValue &+ UInt64(index &- 1) &* 8)
          return .block(try block(at: PhysicalAddress(pointer), in: place))
        }
        index = page.count
      }
      guard nextChunk != .zero else {
        guard pageCount == UInt64(area.pageCount) else {
          throw .areaPageCountDiffers(area.pageCount, found: pageCount)
        }
        return nil
      }
      let chunk = nextChunk
      guard geometry.isPageAligned(chunk) else { throw .pointerUnaligned(chunk, in: link) }
      guard chain.advance(to: chunk) else { throw .chainCycle(chunk) }
      announced = chunk
      return .chunk(chunk)
    }
  }

  private mutating func block(
    at pointer: PhysicalAddress, in place: PhysicalAddress
  ) throws(RecordError) -> PhysicalBlock {
    let block = PhysicalBlock(address: pointer, order: area.order)
    guard block.isNaturallyAligned(in: geometry) else {
      throw .blockImpossible(pointer.rawValue, in: place)
    }
    pageCount &+= area.order.frameCount
    guard pageCount <= UInt64(area.pageCount) else {
      throw .areaPageCountDiffers(area.pageCount, found: pageCount)
    }
    return block
  }
}
