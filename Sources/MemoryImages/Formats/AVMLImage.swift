internal import Decompression
public import MemoryAccess
internal import Synchronization
public import SystemPackage

/// A compressed dump of AVML: ranges of memory, each a snappy stream after its header.
///
/// ```
///  u32 "AVML" │ u32 version 2 │ u64 first address │ u64 last address │ u64 0
///  chunks of 64 KiB, compressed │ u64 number of their bytes
/// ```
///
/// When the file is opened, the headers of its chunks are passed over, and the place of every 64th is
/// remembered. A chunk is decompressed when a byte of it is asked for; some are kept. A file that ends
/// early is read as far as it goes.
///
/// Source: AVML, src/image.rs; snappy, framing_format.txt.
public struct AVMLImage: PhysicalMemory, Sendable {
  static let signature = Array("AVML".utf8)
  /// How many chunks are between two whose places are remembered.
  private static let stride = 64

  /// A range of memory, and where its chunks are.
  struct Block: Sendable {
    let range: PhysicalRange
    /// How many bytes from its start on the file holds.
    var storedByteCount: UInt64 = 0
    /// Places of chunks: what comes before them of the memory, and where they begin in the file.
    var places: [(before: UInt64, fileOffset: UInt64)] = []
  }

  /// The ranges, sorted by address, without overlap.
  private let blocks: [Block]
  private let file: MappedFile
  private let chunks: DecodedChunks

  /// The number of bytes of memory that the file holds.
  public let byteCount: UInt64
  /// What the file should hold and does not; nil where it is whole.
  public let shortfall: ImageShortfall?

  /// Opens the dump at `path`.
  ///
  /// - Throws: `cannotOpen`, `cannotInspect`, `isDirectory`, `notRegularFile`, `emptyFile`,
  ///   `cannotMap` when the file cannot be mapped; `rangeHeaderWrong` for a header that is not one;
  ///   `chunkWrong` for a chunk that is not one; `rangesOverlap`; `tooManyRanges`.
  /// - Complexity: O(chunks), of which the headers are read.
  public init(opening path: FilePath) throws(MemoryImageError) {
    try self.init(MappedFile(opening: path))
  }

  init(_ file: MappedFile) throws(MemoryImageError) {
    var blocks: [Block] = []
    var next: UInt64 = 0
    var isCut = false
    while next < file.byteCount, !isCut {
      guard blocks.count < LiMEImage.limit else { throw .tooManyRanges(limit: LiMEImage.limit) }
      guard file.byteCount &- next >= LiMEImage.headerByteCount else {
        isCut = true
        break
      }
      let (kind, range) = try LiMEImage.header(file, at: next)
      guard kind == .compressed else { throw .rangeHeaderWrong(fileOffset: next) }
      var block = Block(range: range)
      next &+= LiMEImage.headerByteCount
      isCut = try !Self.passChunks(of: &block, in: file, &next)
      blocks.append(block)
    }
    blocks.sort { $0.range.start < $1.range.start }
    for (lower, upper) in zip(blocks, blocks.dropFirst()) where lower.range.overlaps(upper.range) {
      throw .rangesOverlap(address: upper.range.start)
    }
    guard !blocks.isEmpty else { throw .rangeHeaderWrong(fileOffset: 0) }
    self.blocks = blocks
    self.file = file
    chunks = DecodedChunks(file)
    // No address is in two ranges, so the sum is no larger than 2^64 - 1 but for all of it.
    byteCount = blocks.reduce(0) { $0 &+ $1.storedByteCount }
    let cut = blocks.first { $0.storedByteCount < $0.range.byteCount }
    shortfall =
      isCut
      ? ImageShortfall(
        .fileEnds(fileByteCount: file.byteCount),
        firstMissing: cut.map { $0.range.start.advanced(byBytes: $0.storedByteCount) },
        byteCount: cut.map { $0.range.byteCount &- $0.storedByteCount })
      : file.shortfall
  }

  /// Passes over the chunks of a range from `next` on, and the number behind them; false where the file
  /// ends before.
  private static func passChunks(
    of block: inout Block, in file: MappedFile, _ next: inout UInt64
  ) throws(MemoryImageError) -> Bool {
    var count = 0
    while block.storedByteCount < block.range.byteCount {
      let place = next
      let chunk = try file.withBytes(at: 0, count: file.byteCount) {
        bytes throws(MemoryImageError) -> SnappyChunk? in
        do throws(DecompressionError) {
          return try SnappyChunk(of: bytes, at: Int(truncatingIfNeeded: place))
        } catch .inputEnds {
          return nil
        } catch {
          throw .chunkWrong(fileOffset: place, error)
        }
      }
      guard let chunk = chunk ?? nil else { return false }
      guard UInt64(chunk.byteCount) <= block.range.byteCount &- block.storedByteCount else {
        throw .chunkWrong(fileOffset: place, .lengthWrong)
      }
      if chunk.byteCount > 0 {
        if count % stride == 0 { block.places.append((block.storedByteCount, place)) }
        count &+= 1
        block.storedByteCount &+= UInt64(chunk.byteCount)
      }
      next = UInt64(chunk.end)
    }
    guard file.byteCount &- next >= 8 else { return false }
    next &+= 8
    return true
  }

  /// The range that holds `address`, or the next one.
  private func blockIndex(atOrAfter address: PhysicalAddress) -> Int {
    blocks.partitioningIndex { $0.range.last.map { $0 >= address } ?? true }
  }

  /// The chunk that holds the byte `offset` of a range, and what comes before it of the memory.
  private func chunk(at offset: UInt64, of block: Block) -> (before: UInt64, chunk: SnappyChunk)? {
    let behind = block.places.partitioningIndex { $0.before > offset }
    guard behind > 0 else { return nil }
    var (before, place) = block.places[behind &- 1]
    return file.withBytes(at: 0, count: file.byteCount) { bytes in
      // The headers were read before; the file may have changed since.
      while let chunk = try? SnappyChunk(of: bytes, at: Int(truncatingIfNeeded: place)) {
        if offset &- before < UInt64(chunk.byteCount) { return (before, chunk) }
        before &+= UInt64(chunk.byteCount)
        place = UInt64(chunk.end)
        guard before <= offset else { return nil }
      }
      return nil
    } ?? nil
  }
}

extension AVMLImage {
  /// The memory that is described, stored or not.
  var ranges: [PhysicalRange] { blocks.map(\.range) }

  /// The memory that is stored.
  var storedRanges: [PhysicalRange] {
    blocks.map { PhysicalRange(start: $0.range.start, byteCount: $0.storedByteCount) }
  }

  /// How many chunks could not be decompressed, and why the first could not.
  public var damage: (chunkCount: UInt64, first: PhysicalAddress)? { chunks.damage }

  /// Whether every byte of `wanted` is memory of the machine, stored here or not.
  ///
  /// - Complexity: O(log *n*) for *n* ranges, and O(those that are touched).
  public func contains(_ wanted: PhysicalRange) -> Bool {
    guard let end = wanted.last else { return true }
    var next = wanted.start
    for block in blocks[blockIndex(atOrAfter: next)...] {
      guard let last = block.range.last, block.range.start <= next else { return false }
      if last >= end { return true }
      next = last.advanced(byBytes: 1)
    }
    return false
  }

  /// Calls `body` with the bytes of `wanted`, or gives nil when one of them is not stored.
  ///
  /// Bytes of several chunks are copied together, up to ``FileSegments/largestGatheredByteCount``; a larger
  /// range gives nil and has to be read in parts.
  ///
  /// - Complexity: O(chunks that are touched), each of which may have to be decompressed.
  public func withBytes<Result: ~Copyable, Failure: Error>(
    in wanted: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard wanted.byteCount <= FileSegments.largestGatheredByteCount else { return nil }
    guard !wanted.isEmpty else { return try [UInt8]().withRawSpan(body) }
    var gathered: [UInt8] = []
    var next = wanted.start
    var left = wanted.byteCount
    while left > 0 {
      let index = blockIndex(atOrAfter: next)
      guard index < blocks.count, blocks[index].range.start <= next else { return nil }
      let block = blocks[index]
      let offset = next.rawValue &- block.range.start.rawValue
      guard offset < block.storedByteCount, let (before, chunk) = chunk(at: offset, of: block),
        let bytes = chunks.bytes(of: chunk, at: next)
      else { return nil }
      let start = Int(offset &- before)
      guard start < bytes.count else { return nil }
      let taken = min(left, UInt64(bytes.count &- start))
      if taken == wanted.byteCount {
        return try bytes.withRawSpan { span throws(Failure) in
          try body(span.extracting(start..<start &+ Int(taken)))
        }
      }
      gathered += bytes[start..<start &+ Int(taken)]
      left &-= taken
      guard left > 0 else { break }
      let (address, overflow) = next.rawValue.addingReportingOverflow(taken)
      guard !overflow else { return nil }
      next = PhysicalAddress(address)
    }
    return try gathered.withRawSpan(body)
  }

  /// The first run of bytes at or after `address` that are stored, cut to start no earlier; nil when
  /// there is none.
  ///
  /// - Complexity: O(log *n*) for *n* ranges, and O(those passed that are not stored).
  public func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    for block in blocks[blockIndex(atOrAfter: address)...] where block.storedByteCount > 0 {
      let stored = PhysicalRange(start: block.range.start, byteCount: block.storedByteCount)
      guard let last = stored.last, last >= address else { continue }
      let start = max(address, stored.start)
      return PhysicalRange(start: start, byteCount: last.rawValue &- start.rawValue &+ 1)
    }
    return nil
  }
}

/// Decompresses chunks, and keeps the last ones.
private final class DecodedChunks: Sendable {
  private static let keptCount = 32

  private struct State {
    var kept: [(end: Int, bytes: [UInt8])] = []
    var oldest = 0
    var damage: (chunkCount: UInt64, first: PhysicalAddress)?
  }

  private let file: MappedFile
  private let state = Mutex(State())

  init(_ file: MappedFile) { self.file = file }

  var damage: (chunkCount: UInt64, first: PhysicalAddress)? { state.withLock { $0.damage } }

  /// The bytes of `chunk`, of which one is at `address`; nil where they cannot be had.
  func bytes(of chunk: SnappyChunk, at address: PhysicalAddress) -> [UInt8]? {
    let kept = state.withLock { state in state.kept.first { $0.end == chunk.end }?.bytes }
    if let kept { return kept }
    let bytes = file.withBytes(at: 0, count: file.byteCount) { try? chunk.decoded($0) } ?? nil
    state.withLock { state in
      guard let bytes else {
        state.damage = state.damage.map { ($0.chunkCount &+ 1, $0.first) } ?? (1, address)
        return
      }
      if state.kept.count < Self.keptCount {
        state.kept.append((chunk.end, bytes))
      } else {
        state.kept[state.oldest] = (chunk.end, bytes)
        state.oldest = (state.oldest &+ 1) % Self.keptCount
      }
    }
    return bytes
  }
}
