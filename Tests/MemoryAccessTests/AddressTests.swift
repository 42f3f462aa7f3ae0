import HandoverTestSupport
import MemoryAccess
import Testing

/// Addresses, orders, blocks and pages.
@Suite(.namesCombination)
struct AddressTests {
  @Test("alignment to every power of two, 2^64 included")
  func alignment() throws {
    try withEvery("log2", in: 0...64) { log2 in
      try #require(PhysicalAddress.zero.isAligned(log2ByteCount: log2))
      try #require(PhysicalAddress(.max).isAligned(log2ByteCount: log2) == (log2 == 0))
      for bit in 0..<64 {
        let address = PhysicalAddress(1 << UInt64(bit))
        try #require(address.isAligned(log2ByteCount: log2) == (bit >= log2))
        // Upper bits change nothing.
        let higher = PhysicalAddress(address.rawValue | 1 << 63)
        try #require(higher.isAligned(log2ByteCount: log2) == (bit >= log2 && log2 < 64))
      }
    }
  }

  @Test("addresses move up, sort, and print")
  func addresses() {
    #expect(PhysicalAddress(5).advanced(byBytes: 7).rawValue == 12)
    #expect(PhysicalAddress(1).advanced(byBytes: .max - 1).rawValue == .max)
    #expect(PhysicalAddress(.max).advanced(byBytes: 0).rawValue == .max)
    #expect(PhysicalAddress(1) < PhysicalAddress(1 << 63))
    #expect(PhysicalAddress.zero.description == "0x0")
    #expect(PhysicalAddress(.max).description == "0xffffffffffffffff")
  }

  @Test("orders count pages in 64 bits")
  func orders() {
    #expect(PageOrder.zero == PageOrder(0))
    for order in 0..<64 {
      #expect(PageOrder(order).frameCount == 1 << UInt64(order))
      #expect(PageOrder(order).description == "\(order)")
      if order > 0 { #expect(PageOrder(order - 1) < PageOrder(order)) }
    }
  }

  @Test("pages of every size", arguments: 4...20)
  func pages(shift: Int) {
    let page = PageGeometry(shift: shift)
    #expect(page.pageByteCount == 1 << shift)
    #expect(page.pageWordCount * 8 == page.pageByteCount)
    #expect(page.maximumOrder.rawValue == 63 - UInt8(shift))
    #expect(page.blockByteCount(page.maximumOrder) == 1 << 63)
    let size: UInt64 = 1 << UInt64(shift)
    for address in [0, size, size * 3, 0 &- size] as [UInt64] {
      #expect(page.isPageAligned(PhysicalAddress(address)))
      #expect(!page.isPageAligned(PhysicalAddress(address | size >> 1)))
      #expect(page.page(at: PhysicalAddress(address)).byteCount == size)
      #expect(page.page(at: PhysicalAddress(address)).last?.rawValue == address &+ (size - 1))
    }
  }

  @Test("the page sizes of machines")
  func machinePages() {
    #expect(PageGeometry.pages4KiB.pageByteCount == 4096)
    #expect(PageGeometry.pages16KiB.pageByteCount == 16384)
    #expect(PageGeometry.pages64KiB.pageByteCount == 65536)
  }

  @Test("blocks know their bytes, their alignment and their place")
  func blocks() {
    let page = PageGeometry.pages4KiB
    func block(_ address: UInt64, _ order: Int) -> PhysicalBlock {
      PhysicalBlock(address: PhysicalAddress(address), order: PageOrder(order))
    }
    #expect(block(0x4000, 2).range(in: page).last?.rawValue == 0x7fff)
    #expect(block(1 << 63, 51).range(in: page).last?.rawValue == .max)
    #expect(block(0x4000, 2).isNaturallyAligned(in: page))
    #expect(!block(0x4000, 3).isNaturallyAligned(in: page))
    #expect(block(0, 51).isNaturallyAligned(in: page))
    #expect(!block(1 << 62, 51).isNaturallyAligned(in: page))
    #expect(!block(0, 52).isNaturallyAligned(in: page), "no block has 2^64 bytes")
    #expect(block(0x1000, 9) < block(0x2000, 0))
    #expect(block(0x1000, 0) < block(0x1000, 1))
    #expect(!(block(0x1000, 1) < block(0x1000, 1)))
  }
}
