import MemoryAccess
import MemoryImages
import Testing

/// Unchecked addresses, given to every method.
@Suite struct WildAddressTests {
  private static let bytes = [UInt8](repeating: 7, count: 0x2000)

  /// Raw and ELF at the bottom, in the middle and at the very top of the address space.
  @Test(arguments: [0, 0x1234_5000, 0 &- 0x2000, 1 << 63] as [UInt64])
  func everyMethodAnswers(base: UInt64) throws {
    let raw = try TemporaryFile(Self.bytes)
    var builder = ELFBuilder()
    builder.segments = [.init(address: base, bytes: Self.bytes)]
    let elf = try TemporaryFile(builder.built())
    let images = [
      try MemoryImage.open(raw.path, base: PhysicalAddress(base)),
      try MemoryImage.open(elf.path, base: nil),
    ]
    let memory = range(base, 0x2000)
    let starts: [UInt64] =
      [0, 1, 0xfff, 1 << 32, 1 << 63, .max - 0x1fff, .max - 1, .max]
      + [base, base &- 1, base &+ 1, base &+ 0x1fff, base &+ 0x2000]
    let lengths: [UInt64] = [0, 1, 2, 0x1fff, 0x2000, 0x2001, 1 << 32, 1 << 63, .max]
    for image in images {
      #expect(image.byteCount == 0x2000)
      for start in starts {
        let address = PhysicalAddress(start)
        let stored = image.storedRange(atOrAfter: address)
        #expect(stored?.start == (start <= base ? memory.start : stored == nil ? nil : address))
        #expect((stored == nil) == (start > base &+ 0x1fff))
        for length in lengths {
          guard let asked = PhysicalRange(checkedStart: address, byteCount: length) else {
            continue
          }
          let isInside = memory.contains(asked)
          #expect(image.contains(asked) == isInside)
          let count = image.withBytes(in: asked) { $0.byteCount }
          #expect(count == (isInside ? Int(length) : nil))
          image.finishedReading(asked)
        }
      }
    }
  }

  @Test func twoHalvesOfEverything() throws {
    var builder = ELFBuilder()
    builder.segments = [
      .init(address: 1 << 63, bytes: [2], memoryByteCount: 1 << 63),
      .init(address: 0, bytes: [1], memoryByteCount: 1 << 63),
    ]
    let file = try TemporaryFile(builder.built())
    let image = try ELFCoreImage(opening: file.path)
    #expect(image.byteCount == 2)
    #expect(image.contains(range(0, .max)))
    #expect(image.contains(range(1, .max)))
    #expect(image.bytes(in: range(0, .max)) == nil)
    #expect(image.storedRanges() == [range(0, 1), range(1 << 63, 1)])
    image.finishedReading(range(1, .max))
  }

  @Test func aRawImageEndsBelowTheTop() throws {
    let file = try TemporaryFile(Self.bytes)
    let base = PhysicalAddress(0 &- 0x1fff)
    #expect(throws: MemoryImageError.rawImageBeyondAddressSpace(base: base, byteCount: 0x2000)) {
      try RawImage(opening: file.path, base: base)
    }
  }
}
