import Decompression
import HandoverTestSupport
import MemoryAccess
import MemoryImages
import SystemPackage
import Testing

/// One broken rule each, and damage anywhere.
@Suite(.namesCombination) struct KdumpErrorTests {
  private static let sound: KdumpBuilder = {
    var builder = KdumpBuilder()
    builder.blocks = [.fixed]
    builder.pages = [
      3: (0..<4096).map { UInt8($0 / 200) },
      4: [UInt8](repeating: 0, count: 4096),
      9: SeededGenerator.noise(4096),
    ]
    builder.existing = [2..<6, 9..<10]
    return builder
  }()

  private func expect(
    _ error: KdumpError, from bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let file = try TemporaryFile(bytes)
    #expect(throws: MemoryImageError.kdump(error), sourceLocation: sourceLocation) {
      try MemoryImage.open(file.path, base: nil)
    }
  }

  private func changed(_ change: (inout [UInt8]) -> Void) -> [UInt8] {
    var bytes = Self.sound.built()
    change(&bytes)
    return bytes
  }

  @Test func header() throws {
    let bytes = Self.sound.built()
    try expect(.headerTruncated(fileByteCount: 8), from: Array(bytes.prefix(8)))
    try expect(.headerTruncated(fileByteCount: 463), from: Array(bytes.prefix(463)))
    try expect(.headerTruncated(fileByteCount: 4199), from: Array(bytes.prefix(4199)))
    try expect(
      .isDiskdump, from: changed { $0.replaceSubrange(0..<8, with: Array("DISKDUMP".utf8)) })
    try expect(.versionUnsupported(7), from: changed { $0.put(7, at: 8, byteCount: 4) })
    try expect(
      .versionUnsupported(-1), from: changed { $0.put(0xffff_ffff, at: 8, byteCount: 4) })
    for size in [0, 512, 8192, 32_768, 1 << 17] as [UInt64] {
      try expect(
        .blockSizeUnsupported(byteCount: UInt32(size)),
        from: changed { $0.put(size, at: 428, byteCount: 4) })
    }
    // A part of a split dump whose pages cannot be: fewer than none, and behind the last one.
    for (first, end) in [(9, 8), (9, 5), (5, 11), (11, 11)] as [(UInt64, UInt64)] {
      try expect(
        .isSplit(firstPage: first, endPage: end),
        from: changed {
          $0.put(1, at: 4096 + 12, byteCount: 4)
          $0.put(first, at: 4096 + 80, byteCount: 8)
          $0.put(end, at: 4096 + 88, byteCount: 8)
        })
    }
  }

  @Test func machines() throws {
    // A 32-bit header: what follows the utsname is 12 bytes earlier.
    try expect(
      .machineUnsupported,
      from: changed {
        let fields = Array($0[424..<464])
        $0.replaceSubrange(412..<452, with: fields)
        $0.put(0, at: 452, byteCount: 8)
      })
    try expect(
      .machineUnsupported,
      from: changed { $0.put(UInt64(UInt32(4096).byteSwapped), at: 428, byteCount: 4) })
  }

  @Test func sizes() throws {
    let bytes = Self.sound.built()
    let end = UInt64(Self.sound.descriptorOffset)
    try expect(
      .bitmapsBeyondEndOfFile(fileOffset: 8192, byteCount: 8192, fileByteCount: end - 1),
      from: Array(bytes.prefix(Int(end) - 1)))
    try expect(
      .bitmapsBeyondEndOfFile(
        fileOffset: 8192, byteCount: 0xffff_ffff << 12, fileByteCount: UInt64(bytes.count)),
      from: changed { $0.put(0xffff_ffff, at: 436, byteCount: 4) })
    try expect(
      .bitmapsBeyondEndOfFile(
        fileOffset: 1 << 44, byteCount: 8192, fileByteCount: UInt64(bytes.count)),
      from: changed { $0.put(0xffff_ffff, at: 432, byteCount: 4) })
    try expect(
      .bitmapsTooShort(bitCount: 32_768, pageCount: 32_769),
      from: changed { $0.put(32_769, at: 4096 + 96, byteCount: 8) })
    try expect(
      .bitmapsTooShort(bitCount: 32_768, pageCount: .max),
      from: changed { $0.put(.max, at: 4096 + 96, byteCount: 8) })
    try expect(
      .bitmapsTooShort(bitCount: 32_768, pageCount: 40_000),
      from: changed {
        $0.put(5, at: 8, byteCount: 4)
        $0.put(40_000, at: 440, byteCount: 4)
      })
  }

  @Test func flattened() throws {
    let dump = Self.sound.built()
    let bytes = KdumpBuilder.flattened(dump, seed: 3, largestPiece: 500, rewrites: false)
    func expectChanged(
      _ error: KdumpError, sourceLocation: SourceLocation = #_sourceLocation,
      _ change: (inout [UInt8]) -> Void
    ) throws {
      var changed = bytes
      change(&changed)
      try expect(error, from: changed, sourceLocation: sourceLocation)
    }
    try expectChanged(.headerTruncated(fileByteCount: 31)) { $0 = Array($0.prefix(31)) }
    try expectChanged(.flattenedVersionUnsupported(type: 2, version: 1)) { $0[23] = 2 }
    try expectChanged(.flattenedVersionUnsupported(type: 1, version: -1)) {
      $0.put(.max, at: 24, byteCount: 8)
    }
    try expectChanged(.flattenedIsNoDump) { $0 = Array($0.prefix(4112)) }
    try expectChanged(.flattenedPieceWrong(fileOffset: 4096)) { $0[4096] = 0x80 }
    try expectChanged(.flattenedPieceWrong(fileOffset: 4096)) { $0[4104] = 0x80 }
    try expectChanged(.flattenedPieceWrong(fileOffset: 4096)) {
      $0.put(0, at: 4104, byteCount: 8)
    }
    try expectChanged(.flattenedIsNoDump) { $0[4112] = 0x7f }
    // Nothing in it, not even a beginning.
    try expectChanged(.flattenedIsNoDump) {
      $0 = Array($0.prefix(4096)) + [UInt8](repeating: 0xff, count: 16)
    }
    try withEvery("byteCount", in: stride(from: 1, to: bytes.count, by: 61)) { count in
      let file = try TemporaryFile(Array(bytes.prefix(count)))
      // The start of a dump is one, as far as it goes.
      guard let image = try? KdumpImage(opening: file.path) else { return }
      try #require(image.shortfall != nil)
      for (number, page) in Self.sound.pages {
        let read = image.bytes(in: range(number << 12, 4096))
        try #require(read == nil || read == page)
      }
    }
  }

  /// A page that is damaged is an error with its reason, and all others can be read.
  @Test func pages() throws {
    let bytes = Self.sound.built()
    let descriptor = Self.sound.descriptorOffset
    let address = PhysicalAddress(3 << 12)
    let fileByteCount = UInt64(bytes.count)
    func expectReason(
      _ reason: KdumpPageError.Reason, sourceLocation: SourceLocation = #_sourceLocation,
      _ change: (inout [UInt8]) -> Void
    ) throws {
      let file = try TemporaryFile(changed(change))
      let image = try KdumpImage(opening: file.path)
      let error = KdumpPageError(address: address, reason: reason)
      #expect(throws: error, sourceLocation: sourceLocation) { try image.page(at: address) }
      #expect(image.bytes(in: range(3 << 12, 4096)) == nil, sourceLocation: sourceLocation)
      #expect(image.bytes(in: range(4 << 12 - 1, 2)) == nil, sourceLocation: sourceLocation)
      switch reason {
      case .dataBeyondEndOfFile, .descriptorBeyondEndOfFile:
        #expect(image.damage == nil, sourceLocation: sourceLocation)
        #expect(image.shortfall?.firstMissing == address, sourceLocation: sourceLocation)
      default:
        #expect(image.damage?.first == error, sourceLocation: sourceLocation)
        #expect(image.damage?.pageCount == 3, sourceLocation: sourceLocation)
        #expect(image.shortfall == nil, sourceLocation: sourceLocation)
      }
      #expect(
        image.bytes(in: range(9 << 12, 4096)) == Self.sound.pages[9],
        sourceLocation: sourceLocation)
    }
    try expectReason(.dataBeyondEndOfFile(fileOffset: fileByteCount, byteCount: 1)) {
      $0.put(fileByteCount, at: descriptor, byteCount: 8)
      $0.put(1, at: descriptor + 8, byteCount: 4)
    }
    try expectReason(.dataBeyondEndOfFile(fileOffset: .max, byteCount: 2)) {
      $0.put(.max, at: descriptor, byteCount: 8)
      $0.put(2, at: descriptor + 8, byteCount: 4)
    }
    for size in [5185, 0xffff_ffff] as [UInt64] {
      try expectReason(.sizeWrong(byteCount: UInt32(size))) {
        $0.put(size, at: descriptor + 8, byteCount: 4)
      }
    }
    try expectReason(.sizeWrong(byteCount: 4095)) {
      $0.put(4095, at: descriptor + 8, byteCount: 4)
      $0.put(0, at: descriptor + 12, byteCount: 4)
    }
    try expectReason(.descriptorBeyondEndOfFile) {
      $0.replaceSubrange(descriptor..<descriptor + 24, with: [UInt8](repeating: 0, count: 24))
    }
    try expectReason(.flagsUnknown(3)) { $0.put(3, at: descriptor + 12, byteCount: 4) }
    try expectReason(.flagsUnknown(0x101)) { $0.put(0x101, at: descriptor + 12, byteCount: 4) }
    try expectReason(.notDecompressed(.zlib, .headerWrong(0x789d))) {
      $0[Self.sound.dataOffset + 1] = 0x9d
    }
    try expectReason(.notDecompressed(.zlib, .inputEnds)) {
      $0.put(9, at: descriptor + 8, byteCount: 4)
    }
    let file = try TemporaryFile(Array(bytes.prefix(descriptor + 23)))
    let image = try KdumpImage(opening: file.path)
    #expect(throws: KdumpPageError(address: address, reason: .descriptorBeyondEndOfFile)) {
      try image.page(at: address)
    }
  }

  /// Whatever bit flips in headers, bitmaps and descriptors: an error or an image, of which every
  /// page can be asked for.
  @Test(arguments: [false, true])
  func flippedBits(flattened: Bool) throws {
    let dump = Self.sound.built()
    let bytes =
      flattened ? KdumpBuilder.flattened(dump, seed: 5, largestPiece: 6000, rewrites: true) : dump
    // In the headers, in the bitmaps and descriptors, and anywhere.
    var random = SeededGenerator(seed: 17)
    var places = Set((0..<400).map { _ in Int.random(in: 0..<bytes.count * 8, using: &random) })
    let from = flattened ? 4096 : 0
    for part in [8..<12, 424..<464, 4096..<4200, 8192..<8194, 12_288..<12_290, 16_384..<16_456] {
      for _ in 0..<60 {
        places.insert(
          Int.random(
            in: (from + part.lowerBound) * 8..<(from + part.upperBound) * 8, using: &random))
      }
    }
    try withEvery("bit", in: places.sorted()) { bit in
      var damaged = bytes
      damaged[bit / 8] ^= 1 << (bit % 8)
      let file = try TemporaryFile(damaged)
      guard let image = try? KdumpImage(opening: file.path) else { return }
      for page in 0..<12 as Range<UInt64> {
        let bytes = image.bytes(in: range(page << UInt64(image.geometry.shift), 4096))
        try #require(bytes == nil || bytes?.count == 4096)
      }
      let stored = image.storedRanges()
      try #require(stored.reduce(0) { $0 + $1.byteCount } <= image.byteCount)
    }
  }
}

extension SeededGenerator {
  fileprivate static func noise(_ count: Int) -> [UInt8] {
    var random = SeededGenerator(seed: 99)
    return random.bytes(count)
  }
}
