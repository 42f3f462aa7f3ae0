package import KexecHandover

/// The bytes of a compressed dump as makedumpfile and QEMU write them: IMPLEMENTATION of
/// makedumpfile, "The kdump-compressed format".
package struct KdumpBuilder {
  /// The bytes of each page in the dump, by number.
  package var pages: [UInt64: [UInt8]] = [:]
  /// Pages that exist, in the dump or not.
  package var existing: [Range<UInt64>] = []
  package var shift = 12
  package var machine = "x86_64"
  package var vmcoreInfo: String?
  package var version: UInt32 = 6
  /// The number of pages up to the highest; what there is if nil.
  package var pageCount: UInt64?
  package var status: UInt32 = 1
  /// How pages are compressed; a page that is not in a list of blocks is stored as it is.
  package var blocks: [Deflater.Block] = Deflater.Block.allCases
  package var seed: UInt64 = 0

  package init() {}

  /// All of an image that is an ELF core of whole pages.
  package init(of image: MemoryImage, shift: Int = 12) {
    guard case .elf(let core) = image else { preconditionFailure("not an ELF") }
    self.shift = shift
    let pageByteCount = UInt64(1) << UInt64(shift)
    for segment in core.segments {
      let first = segment.range.start.rawValue / pageByteCount
      existing.append(first..<first + segment.range.byteCount / pageByteCount)
      for number in 0..<segment.storedByteCount / pageByteCount {
        let page = PhysicalRange(
          start: PhysicalAddress((first + number) * pageByteCount), byteCount: pageByteCount)
        pages[first + number] = image.withBytes(in: page) { $0.copiedBytes() }
      }
    }
  }

  package var pageByteCount: Int { 1 << shift }

  private var wholePageCount: UInt64 {
    pageCount ?? max((pages.keys.max() ?? 0) + 1, existing.map(\.upperBound).max() ?? 0)
  }

  private var bitmapByteCount: Int {
    let blockBits = UInt64(pageByteCount) * 8
    return Int((wholePageCount + blockBits - 1) / blockBits) * pageByteCount
  }

  package var bitmapOffset: Int { 2 * pageByteCount }
  package var descriptorOffset: Int { bitmapOffset + 2 * bitmapByteCount }
  package var dataOffset: Int { descriptorOffset + 24 * pages.count }

  package func built() -> [UInt8] {
    var file = [UInt8](repeating: 0, count: dataOffset)
    writeHeaders(&file)
    for range in existing {
      for page in range { file[bitmapOffset + Int(page / 8)] |= 1 << (page % 8) }
    }
    let dumped = bitmapOffset + bitmapByteCount
    var descriptor = descriptorOffset
    var zeroes: (offset: Int, byteCount: Int)?
    var deflater = Deflater(seed: seed)
    for (page, bytes) in pages.sorted(by: { $0.key < $1.key }) {
      file[bitmapOffset + Int(page / 8)] |= 1 << (page % 8)
      file[dumped + Int(page / 8)] |= 1 << (page % 8)
      let isZero = bytes.allSatisfy { $0 == 0 }
      var data = bytes
      // As dumpers do: what does not become smaller is stored as it is, and zeros once.
      if !blocks.isEmpty {
        let stream = deflater.stream(of: bytes, in: blocks)
        if stream.count < bytes.count || isZero { data = stream }
      }
      let place = isZero ? zeroes ?? (file.count, data.count) : (file.count, data.count)
      if place.0 == file.count { file += data }
      if isZero { zeroes = place }
      let isCompressed = place.1 != bytes.count
      file.put(UInt64(place.0), at: descriptor, byteCount: 8)
      file.put(UInt64(place.1), at: descriptor + 8, byteCount: 4)
      file.put(isCompressed ? 1 : 0, at: descriptor + 12, byteCount: 4)
      descriptor += 24
    }
    if let vmcoreInfo {
      file.put(UInt64(file.count), at: pageByteCount + 32, byteCount: 8)
      file.put(UInt64(vmcoreInfo.utf8.count), at: pageByteCount + 40, byteCount: 8)
      file += Array(vmcoreInfo.utf8)
    }
    return file
  }

  /// The file of a split dump that has the pages of those numbers.
  package func builtPart(_ numbers: Range<UInt64>) -> [UInt8] {
    var part = self
    part.pageCount = wholePageCount
    let dropped = pages.filter { !numbers.contains($0.key) }
    for page in dropped.keys { part.pages[page] = nil }
    var file = part.built()
    // Both bitmaps are those of the whole dump.
    for page in dropped.keys {
      file[bitmapOffset + bitmapByteCount + Int(page / 8)] |= 1 << (page % 8)
    }
    file.put(1, at: pageByteCount + 12, byteCount: 4)
    file.put(numbers.lowerBound, at: pageByteCount + 80, byteCount: 8)
    file.put(numbers.upperBound, at: pageByteCount + 88, byteCount: 8)
    return file
  }

  private func writeHeaders(_ file: inout [UInt8]) {
    func put(_ text: String, at offset: Int) {
      file.replaceSubrange(offset..<offset + text.utf8.count, with: Array(text.utf8))
    }
    put("KDUMP   ", at: 0)
    file.put(UInt64(version), at: 8, byteCount: 4)
    put("Linux", at: 12)
    put(machine, at: 272)
    for (value, offset) in [
      (UInt64(status), 424), (UInt64(pageByteCount), 428), (1, 432),
      (UInt64(2 * bitmapByteCount / pageByteCount), 436),
      (min(wholePageCount, UInt64(UInt32.max)), 440), (1, 460),
    ] {
      file.put(value, at: offset, byteCount: 4)
    }
    if version >= 6 { file.put(wholePageCount, at: pageByteCount + 96, byteCount: 8) }
  }

  /// `dump` in makedumpfile's flattened format, in pieces of random sizes; some are written twice, and
  /// first wrongly.
  package static func flattened(
    _ dump: [UInt8], seed: UInt64, largestPiece: Int = 50_000, rewrites: Bool = true
  ) -> [UInt8] {
    var random = SeededGenerator(seed: seed)
    var file = Array("makedumpfile".utf8) + [UInt8](repeating: 0, count: 4)
    for value in [1, 1] as [UInt64] { file.append(bigEndian: value) }
    file += [UInt8](repeating: 0, count: 4096 - file.count)
    func append(_ bytes: [UInt8], at offset: Int) {
      file.append(bigEndian: UInt64(offset))
      file.append(bigEndian: UInt64(bytes.count))
      file += bytes
    }
    var pieces: [Range<Int>] = []
    var start = 0
    while start < dump.count {
      let end = min(dump.count, start + 1 + random.index(below: largestPiece))
      pieces.append(start..<end)
      start = end
    }
    if rewrites {
      for piece in pieces.shuffled(using: &random).prefix(pieces.count / 2) {
        let low = max(0, piece.lowerBound - random.index(below: 100))
        let high = min(dump.count, piece.upperBound + random.index(below: 100))
        append([UInt8](repeating: 0xa5, count: high - low), at: low)
      }
      pieces.shuffle(using: &random)
    }
    for piece in pieces { append(Array(dump[piece]), at: piece.lowerBound) }
    for _ in 0..<2 { file.append(bigEndian: .max) }
    return file
  }
}

extension [UInt8] {
  /// Writes a little-endian number over what is there.
  package mutating func put(_ value: UInt64, at offset: Int, byteCount: Int) {
    for index in 0..<byteCount {
      self[offset + index] = UInt8(truncatingIfNeeded: value >> (UInt64(index) * 8))
    }
  }

  fileprivate mutating func append(bigEndian value: UInt64) {
    for shift in stride(from: 56, through: 0, by: -8) {
      append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
    }
  }
}
