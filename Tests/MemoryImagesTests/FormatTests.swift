import Decompression
import Foundation
import HandoverTestSupport
import MemoryAccess
import MemoryImages
import SystemPackage
import Testing

/// LiME, AVML, raw memory in parts, and files that are recognised by their signature.
@Suite(.namesCombination) struct FormatTests {
  private func open(
    _ bytes: [UInt8], layout: RawLayout? = nil
  ) throws -> (TemporaryFile, MemoryImage) {
    let file = try TemporaryFile(bytes)
    return (file, try MemoryImage.open(file.path, raw: layout.map { .layout($0) }))
  }

  private func header(_ signature: String, _ version: UInt32, _ first: UInt64, _ last: UInt64)
    -> [UInt8]
  {
    var bytes = Array(signature.utf8)
    bytes.append(version)
    bytes.append(first)
    bytes.append(last)
    bytes.append(0 as UInt64)
    return bytes
  }

  /// Memory at random places, and what of it is at each address.
  private func ranges(_ random: inout SeededGenerator) -> [(address: UInt64, bytes: [UInt8])] {
    var next: UInt64 = 0
    return (0..<Int.random(in: 1...4, using: &random)).map { _ in
      next += UInt64.random(in: 0...3, using: &random) * 4096
      let count = Int.random(in: 1...40, using: &random) * 4096
      defer { next += UInt64(count) }
      var bytes = random.bytes(count)
      for index in stride(from: 0, to: count - 4096, by: 8192) {
        bytes.replaceSubrange(index..<index + 4096, with: [UInt8](repeating: 7, count: 4096))
      }
      return (next, bytes)
    }
  }

  private func check(
    _ image: MemoryImage, _ ranges: [(address: UInt64, bytes: [UInt8])], heldByteCount: Int
  ) throws {
    var left = heldByteCount
    for (address, bytes) in ranges {
      let held = min(left, bytes.count)
      left -= held
      try #require(image.contains(range(address, UInt64(bytes.count))))
      if held > 0 {
        try #require(image.bytes(in: range(address, UInt64(held))) == Array(bytes[..<held]))
        try #require(image.bytes(in: range(address + UInt64(held) / 2, 1)) == [bytes[held / 2]])
      }
      if held < bytes.count {
        try #require(image.bytes(in: range(address, UInt64(bytes.count))) == nil)
      }
    }
    let stored = image.storedRanges()
    try #require(stored.reduce(0) { $0 + $1.byteCount } == image.byteCount)
    try #require(image.byteCount == UInt64(heldByteCount))
    try #require(image.readableMemory?.byteCount == image.byteCount)
  }

  @Test func lime() throws {
    try withEvery("seed", in: 0..<40 as Range<UInt64>) { seed in
      var random = SeededGenerator(seed: seed)
      let ranges = ranges(&random).shuffled(using: &random)
      var bytes: [UInt8] = []
      for (address, content) in ranges {
        bytes += header("EMiL", 1, address, address + UInt64(content.count) - 1) + content
      }
      let (file, image) = try open(bytes)
      guard case .lime = image else { throw MemoryImageError.baseAddressMissing }
      try #require(image.shortfall == nil)
      let whole = ranges.reduce(0) { $0 + $1.bytes.count }
      try check(image, ranges, heldByteCount: whole)
      // Cut: as far as it goes.
      let count = Int.random(in: 33..<bytes.count, using: &random)
      let (cutFile, cut) = try open(Array(bytes.prefix(count)))
      var held = 0
      var place = 0
      for (_, content) in ranges where place < count {
        held += max(0, min(content.count, count - place - 32))
        place += 32 + content.count
      }
      try #require(cut.shortfall?.cause == .fileEnds(fileByteCount: UInt64(count)))
      try #require(cut.byteCount == UInt64(held))
      withExtendedLifetime((file, cutFile)) {}
    }
  }

  @Test func limeErrors() throws {
    func expect(_ error: MemoryImageError, _ bytes: [UInt8]) {
      #expect(throws: error) { try open(bytes) }
    }
    let sound = header("EMiL", 1, 0x1000, 0x1003) + [1, 2, 3, 4]
    expect(.rangeHeaderWrong(fileOffset: 0), header("EMiL", 2, 0x1000, 0x1003) + [1, 2, 3, 4])
    expect(.rangeHeaderWrong(fileOffset: 0), header("EMiL", 1, 0x1000, 0xfff))
    expect(.rangeHeaderWrong(fileOffset: 36), sound + [UInt8](repeating: 1, count: 32))
    #expect(throws: MemoryImageError.rangesCarryAddresses) {
      try open(sound, layout: RawLayout(base: .zero))
    }
  }

  /// An AVML dump, its chunks stored or compressed by a few literals and copies.
  private func avml(
    _ ranges: [(address: UInt64, bytes: [UInt8])], _ random: inout SeededGenerator
  ) -> (bytes: [UInt8], ends: [(place: Int, held: Int)]) {
    var file: [UInt8] = []
    var ends: [(place: Int, held: Int)] = []
    var held = 0
    for (address, content) in ranges {
      file += header("AVML", 2, address, address + UInt64(content.count) - 1)
      let begin = file.count
      file += [0xff, 6, 0, 0] + Array("sNaPpY".utf8)
      var start = 0
      while start < content.count {
        let end = min(content.count, start + Int.random(in: 1...65_536, using: &random))
        let part = Array(content[start..<end])
        let isCompressed = Bool.random(using: &random)
        let body = isCompressed ? Self.snappy(part) : part
        if Int.random(in: 0..<5, using: &random) == 0 { file += [0xfe, 3, 0, 0, 0, 0, 0] }
        let length = body.count + 4
        file += [
          isCompressed ? 0 : 1, UInt8(length & 255), UInt8(length >> 8 & 255), UInt8(length >> 16),
        ]
        file.append(Self.maskedCRC(part))
        file += body
        held += part.count
        ends.append((file.count, held))
        start = end
      }
      file.append(UInt64(file.count - begin))
    }
    return (file, ends)
  }

  /// A snappy block: runs of a byte as a literal and copies, the rest as literals.
  private static func snappy(_ bytes: [UInt8]) -> [UInt8] {
    var block: [UInt8] = []
    var length = bytes.count
    while length >= 128 {
      block.append(UInt8(length & 127) | 128)
      length >>= 7
    }
    block.append(UInt8(length))
    var place = 0
    while place < bytes.count {
      var run = 1
      while place + run < bytes.count, bytes[place + run] == bytes[place], run < 65 { run += 1 }
      block += [0, bytes[place]]
      if run > 4 {
        block += [UInt8((run - 2) << 2 | 2), 1, 0]
        place += run
      } else {
        place += 1
      }
    }
    return block
  }

  private static func maskedCRC(_ bytes: [UInt8]) -> UInt32 {
    var sum = UInt32.max
    for byte in bytes {
      sum ^= UInt32(byte)
      for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0x82f6_3b78 : sum >> 1 }
    }
    sum = ~sum
    return (sum >> 15 | sum << 17) &+ 0xa282_ead8
  }

  @Test func avml() throws {
    try withEvery("seed", in: 0..<12 as Range<UInt64>) { seed in
      var random = SeededGenerator(seed: seed)
      let ranges = ranges(&random)
      let (bytes, ends) = avml(ranges, &random)
      let (file, image) = try open(bytes)
      guard case .avml(let dump) = image else { throw MemoryImageError.baseAddressMissing }
      try #require(image.shortfall == nil)
      try check(image, ranges, heldByteCount: ranges.reduce(0) { $0 + $1.bytes.count })
      try #require(dump.damage == nil)
      // Cut: whole chunks are read.
      let count = Int.random(in: 60..<bytes.count, using: &random)
      let (cutFile, cut) = try open(Array(bytes.prefix(count)))
      let held = ends.last { $0.place <= count }?.held ?? 0
      try #require(cut.byteCount == UInt64(held))
      try #require(cut.shortfall != nil)
      // A chunk whose checksum does not match is noticed when it is read.
      var damaged = bytes
      var chunk = 32 + 10
      if damaged[chunk] == 0xfe { chunk += 7 }
      damaged[chunk + 4] ^= 1
      let (damagedFile, other) = try open(damaged)
      if case .avml(let dump) = other {
        try #require(other.bytes(in: range(ranges[0].address + UInt64(ends[0].held) - 1, 1)) == nil)
        try #require(dump.damage?.chunkCount == 1)
      }
      withExtendedLifetime((file, cutFile, damagedFile)) {}
    }
  }

  @Test func rawParts() throws {
    var random = SeededGenerator(seed: 3)
    let bytes = random.bytes(10_000)
    func part(_ offset: UInt64, _ address: UInt64) -> RawLayout.Part {
      RawLayout.Part(fileOffset: offset, address: PhysicalAddress(address))
    }
    let layout = try #require(RawLayout([part(6000, 0x1_0000_0000), part(0, 0x1000)]))
    let (file, image) = try open(bytes, layout: layout)
    #expect(image.bytes(in: range(0x1000, 6000)) == Array(bytes[..<6000]))
    #expect(image.bytes(in: range(0x1_0000_0000, 4000)) == Array(bytes[6000...]))
    #expect(image.bytes(in: range(0x1000, 6001)) == nil)
    #expect(!image.contains(range(0x1000, 6001)))
    #expect(image.byteCount == 10_000)
    withExtendedLifetime(file) {}
    #expect(
      throws: MemoryImageError.rawPartsOverlap(
        firstOffset: 0, secondOffset: 6000, address: PhysicalAddress(0x1000 + 5999))
    ) {
      try open(bytes, layout: RawLayout([part(0, 0x1000), part(6000, 0x1000 + 5999)]))
    }
    #expect(
      throws: MemoryImageError.rawPartBeyondEndOfFile(fileOffset: 10_000, fileByteCount: 10_000)
    ) { try open(bytes, layout: RawLayout([part(0, 0), part(10_000, 0x100_0000)])) }
    #expect(RawLayout([]) == nil)
    #expect(RawLayout([part(5, 1), part(5, 2)]) == nil)
  }

  @Test func machines() {
    func parts(_ machine: VirtualMachine, _ byteCount: UInt64) -> [UInt64] {
      RawLayout(machine, fileByteCount: byteCount).parts.map(\.fileOffset)
    }
    #expect(parts(.q35, 8 << 30) == [0, 2 << 30])
    #expect(parts(.q35, 2 << 30) == [0, 0xb000_0000])
    #expect(parts(.pc, 8 << 30) == [0, 3 << 30])
    #expect(parts(.firecracker, 5 << 30) == [0, 3 << 30])
    #expect(parts(.cloudHypervisor, 5 << 30) == [0, 3 << 30])
    #expect(RawLayout(.virt, fileByteCount: 1).parts.map(\.address.rawValue) == [1 << 30])
  }

  /// A file that ends below the hole is one part.
  @Test func machineWithoutMemoryAboveTheHole() throws {
    let file = try TemporaryFile([1, 2, 3])
    let image = try MemoryImage.open(file.path, raw: .machine(.pc))
    #expect(image.existingMemory?.ranges == [range(0, 3)])
  }

  @Test func foreignFiles() throws {
    func expect(_ format: ForeignFormat, _ start: [UInt8], at offset: Int = 0) throws {
      var bytes = [UInt8](repeating: 0, count: 8192)
      bytes.replaceSubrange(offset..<offset + start.count, with: start)
      #expect(throws: MemoryImageError.foreign(format)) { try open(bytes) }
      // With a base too: the signature says more. As raw memory, whatever it is.
      #expect(throws: MemoryImageError.foreign(format)) {
        try open(bytes, layout: RawLayout(base: .zero))
      }
      let file = try TemporaryFile(bytes)
      guard case .raw = try MemoryImage.openRaw(file.path)
      else { throw MemoryImageError.baseAddressMissing }
    }
    try expect(.qemuMigrationStream, Array("QEVM\0\0\0\u{3}".utf8))
    try expect(.libvirtSave, Array("LibvirtQemudSave".utf8))
    try expect(.qcow2, [0x51, 0x46, 0x49, 0xfb])
    try expect(.vmdk, Array("KDMV".utf8))
    try expect(.vmwareState, [0xd2, 0xbe, 0xd2, 0xbe])
    try expect(.xenDump, [0xed, 0xeb, 0x0f, 0xf0])
    try expect(.windowsDump, Array("PAGEDU64".utf8))
    try expect(.sadump, Array("sadump\0\0".utf8))
    try expect(.sadump, Array("sadump\0\0".utf8), at: 4096)
    try expect(.lkcd, [0xed, 0x23, 0x8f, 0x61, 0x73, 0x01, 0x19, 0xa8])
    try expect(.kernelImage, Array("HdrS".utf8), at: 0x202)
    try expect(.luks, [0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe])
    try expect(.bzip2, Array("BZh9".utf8))
    try expect(.lz4, [0x04, 0x22, 0x4d, 0x18])
    try expect(.tar, Array("ustar".utf8), at: 257)
    // Nothing that is known.
    #expect(throws: MemoryImageError.baseAddressMissing) {
      try open([UInt8](repeating: 7, count: 99))
    }
  }

  @Test func foreignELFs() throws {
    var builder = ELFBuilder()
    builder.segments = [.init(address: 0x1000, bytes: [1]), .init(address: 0x2000, bytes: [1])]
    let sound = builder.built()
    for (type, format) in [(1, .objectFile), (2, .executable), (3, .executable)]
      as [(UInt16, ForeignFormat)]
    {
      var bytes = sound
      bytes.replace(at: 16, with: type)
      #expect(throws: MemoryImageError.foreign(format)) { try open(bytes) }
    }
    // Several segments, all at address 0; one, with a note that only a process has.
    builder.segments = [.init(address: 0, bytes: [1]), .init(address: 0, bytes: [2])]
    #expect(throws: MemoryImageError.foreign(.processCore)) { try open(builder.built()) }
    builder.segments = [.init(address: 0, bytes: [1])]
    #expect(throws: Never.self) { try open(builder.built()) }
    var note = ELFBuilder.note("CORE", "auxiliary")
    note.replace(at: 8, with: 6 as UInt32)
    builder.notes = note
    #expect(throws: MemoryImageError.foreign(.processCore)) { try open(builder.built()) }
    note = ELFBuilder.note("Xen", "crash")
    note.replace(at: 8, with: 0x100_0001 as UInt32)
    builder.notes = note
    #expect(throws: MemoryImageError.foreign(.xenDump)) { try open(builder.built()) }
  }

  /// gzip with stored blocks.
  private func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var file: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]
    for start in stride(from: 0, to: bytes.count, by: 65_535) {
      let part = bytes[start..<min(bytes.count, start + 65_535)]
      file.append(start + 65_535 >= bytes.count ? 1 : 0 as UInt8)
      file.append(UInt16(part.count))
      file.append(~UInt16(part.count))
      file += part
    }
    var sum = UInt32.max
    for byte in bytes {
      sum ^= UInt32(byte)
      for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xedb8_8320 : sum >> 1 }
    }
    file.append(~sum)
    file.append(UInt32(bytes.count))
    return file
  }

  @Test func compressedFiles() throws {
    var random = SeededGenerator(seed: 8)
    var memory = random.bytes(100_000)
    memory.replaceSubrange(8192..<60_000, with: [UInt8](repeating: 0, count: 60_000 - 8192))
    var builder = ELFBuilder()
    builder.segments = [.init(address: 0x1000, bytes: memory)]
    let stream = gzip(builder.built())
    let (file, image) = try open(stream)
    #expect(image.bytes(in: range(0x1000, 100_000)) == memory)
    #expect(image.shortfall == nil)
    // Zeros are holes: the pages that hold none of them are stored.
    #expect(image.storedRanges().reduce(0) { $0 + $1.byteCount } < 60_000)
    // Cut short: what was decompressed is read.
    let (cutFile, cut) = try open(Array(stream.prefix(80_000)))
    #expect(cut.bytes(in: range(0x1000, 5000)) == Array(memory[..<5000]))
    #expect(cut.bytes(in: range(0x1000, 100_000)) == nil)
    #expect(cut.shortfall != nil)
    // Raw memory inside.
    let (rawFile, raw) = try open(gzip(memory), layout: RawLayout(base: PhysicalAddress(0x4000)))
    #expect(raw.bytes(in: range(0x4000, 100_000)) == memory)
    #expect(throws: MemoryImageError.baseAddressMissing) { try open(gzip(memory)) }
    // Compressed twice; nothing at all.
    #expect(throws: MemoryImageError.baseAddressMissing) { try open(gzip(stream)) }
    #expect(throws: MemoryImageError.cannotDecompress(.gzip, .inputEnds)) {
      try open([0x1f, 0x8b])
    }
    withExtendedLifetime((file, cutFile, rawFile)) {}
  }

  /// Segments that store less than they describe: zeros by elf(5), but not in a capture of this project.
  @Test func leftOutMemory() throws {
    var builder = ELFBuilder()
    builder.segments = [.init(address: 0x1000, bytes: [1, 2], memoryByteCount: 100)]
    let (file, image) = try open(builder.built())
    #expect(image.leftOutZeros(from: PhysicalAddress(0x1002)) == 98)
    #expect(image.leftOutZeros(from: PhysicalAddress(0x1001)) == 0)
    #expect(image.leftOutZeros(from: PhysicalAddress(0x1000 + 100)) == 0)
    let path = FilePath(FileManager.default.temporaryDirectory.path)
      .appending("left-out-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(atPath: path.string) }
    let writer = CoreFileWriter(
      existing: MemoryMap([range(0x1000, 100)]), stored: MemoryMap([range(0x1000, 2)]))
    try writer.write(to: path, replacing: false, from: image)
    let capture = try MemoryImage.open(path, base: nil)
    #expect(capture.bytes(in: range(0x1000, 2)) == [1, 2])
    #expect(capture.contains(range(0x1000, 100)))
    #expect(capture.leftOutZeros(from: PhysicalAddress(0x1002)) == 0)
    withExtendedLifetime(file) {}
  }

  /// The parts of a split dump: each alone as far as it goes, and all as one.
  @Test func splitDumps() throws {
    try withEvery("seed", in: 0..<20 as Range<UInt64>) { seed in
      var random = SeededGenerator(seed: seed)
      var builder = KdumpBuilder()
      builder.existing = [0..<60]
      for page in 0..<60 as Range<UInt64> where Bool.random(using: &random) {
        builder.pages[page] = random.bytes(4096)
      }
      let edges = [
        0, UInt64.random(in: 1..<30, using: &random), UInt64.random(in: 30..<60, using: &random),
        60,
      ]
      var files: [TemporaryFile] = []
      for (first, end) in zip(edges, edges.dropFirst()) {
        files.append(try TemporaryFile(builder.builtPart(first..<end)))
      }
      let paths = files.map(\.path)
      // makedumpfile makes empty parts too: at either end, and between others.
      for edge in edges { files.append(try TemporaryFile(builder.builtPart(edge..<edge))) }
      let whole = try MemoryImage.openParts(files.map(\.path).shuffled(using: &random))
      try #require(whole.shortfall == nil)
      let empty = try MemoryImage.openParts([files[4].path])
      try #require(empty.shortfall?.byteCount ?? 0 == UInt64(builder.pages.count) << 12)
      try #require(builder.pages.keys.allSatisfy { empty.bytes(in: range($0 << 12, 4096)) == nil })
      let one = try MemoryImage.open(paths[1], base: nil)
      for page in 0..<60 as Range<UInt64> {
        try #require(whole.bytes(in: range(page << 12, 4096)) == builder.pages[page])
        let isHeld = (edges[1]..<edges[2]).contains(page)
        try #require(one.bytes(in: range(page << 12, 4096)) == (isHeld ? builder.pages[page] : nil))
        try #require(one.contains(range(page << 12, 4096)))
      }
      let missing = builder.pages.keys.count { !(edges[1]..<edges[2]).contains($0) }
      try #require((one.shortfall?.byteCount ?? 0) == UInt64(missing) << 12)
      try #require(
        one.storedRanges().allSatisfy { one.bytes(in: $0)?.count == Int($0.byteCount) })
      #expect(throws: MemoryImageError.kdump(.partsDiffer(firstPage: 0))) {
        try MemoryImage.openParts([paths[0], paths[0]])
      }
    }
  }
}
