import HandoverTestSupport
import MemoryAccess
import PreservedPages

/// Writes `kho-v1` chunk lists into memory: `FormatChunkList.md`, written down once more.
struct ChunkListBuilder {
  let memory: ClaimingMemory
  let geometry: PageGeometry
  private var nextPage: UInt64

  /// An empty page for chunks, and room for many.
  init(
    _ geometry: PageGeometry = .pages4KiB, pageCount: Int = 64, claiming: [PhysicalRange]? = nil
  ) throws {
    self.geometry = geometry
    memory = try TreeBench.memory(geometry, nodeCount: pageCount, claiming: claiming)
    nextPage = TreeBench.start
  }

  /// A fresh page of zeros.
  mutating func page() -> UInt64 {
    defer { nextPage += UInt64(geometry.pageByteCount) }
    return nextPage
  }

  /// A chunk with these fields; elements are first block and bitmap.
  mutating func chunk(
    order: UInt32, next: UInt64 = 0, count: UInt32? = nil, _ elements: [(UInt64, UInt64)]
  ) -> UInt64 {
    let chunk = page()
    memory.setWord(next, at: chunk)
    let count = count ?? UInt32(elements.count)
    memory.setWord(UInt64(count) << 32 | UInt64(order), at: chunk + 8)
    for (index, (start, bitmap)) in elements.enumerated() {
      memory.setWord(start, at: chunk + 16 + UInt64(index) * 16)
      memory.setWord(bitmap, at: chunk + 24 + UInt64(index) * 16)
    }
    return chunk
  }

  /// A bitmap of a page of its own with these bits.
  mutating func bitmap(_ bits: [Int]) -> UInt64 {
    let bitmap = page()
    set(bits, at: bitmap)
    return bitmap
  }

  func set(_ bits: [Int], at bitmap: UInt64) {
    for bit in bits {
      let place = bitmap + UInt64(bit / 64) * 8
      memory.setWord(memory.word(at: place) | 1 << UInt64(bit % 64), at: place)
    }
  }

  func link(_ chunk: UInt64, to next: UInt64) { memory.setWord(next, at: chunk) }

  func survey(_ first: UInt64, _ size: ChunkBitmapSize = .deduced) -> PreservedPagesSurvey {
    PreservedPagesSurvey(
      chunkListAt: PhysicalAddress(first), in: memory, geometry: geometry, bitmapSize: size)
  }

  /// The blocks that `bits` of a bitmap mean.
  func blocks(_ order: Int, from start: UInt64, _ bits: [Int]) -> [PhysicalBlock] {
    bits.map { bit in
      PhysicalBlock(
        address: PhysicalAddress(start + UInt64(bit) << UInt64(geometry.shift + order)),
        order: PageOrder(order))
    }
  }
}
