internal import Decompression
internal import MemoryAccess
internal import Synchronization

/// Inflates the pages of a dump, and keeps some of them.
///
/// What is kept is found by the place of its data: a dumper stores equal pages, those of zeros, once.
final class InflatedPages: Sendable {
  /// How many bytes of a page's start are inflated when no more is asked for: the header of a device
  /// tree. So a scan, which looks at the start of every page, inflates little of them.
  static let startByteCount = 64
  /// The bytes of the pages that are kept.
  private static let keptByteCount = 1 << 20

  private let file: DumpFile
  private let geometry: PageGeometry
  private let descriptorOffset: UInt64

  private struct State {
    var kept: [(data: PageData, bytes: [UInt8])?]
    var start: (data: PageData, bytes: [UInt8])?
    var damage: (pageCount: UInt64, first: KdumpPageError)?
    var missing: (pageCount: UInt64, first: KdumpPageError)?
  }
  private let state: Mutex<State>

  init(of file: DumpFile, _ header: KdumpHeader) {
    self.file = file
    geometry = header.geometry
    descriptorOffset = header.descriptorOffset
    let count = Self.keptByteCount / header.geometry.pageByteCount
    state = Mutex(
      State(kept: Array(repeating: nil, count: count), start: nil, damage: nil, missing: nil))
  }

  /// How many pages are damaged, and what is wrong with the first.
  var damage: (pageCount: UInt64, first: KdumpPageError)? { state.withLock { $0.damage } }

  /// How many pages are behind the end of the file, and which was the first.
  var missing: (pageCount: UInt64, first: KdumpPageError)? { state.withLock { $0.missing } }

  /// The bytes of the page of that number, whose descriptor is the one of that index.
  func page(_ number: UInt64, descriptor: UInt64) throws(KdumpPageError) -> [UInt8] {
    do throws(KdumpPageError.Reason) {
      let data = try self.data(descriptor: descriptor)
      let slot = Int(data.offset &* 0x9e37_79b9_7f4a_7c15 >> 40) % state.withLock { $0.kept.count }
      let kept = state.withLock { $0.kept[slot] }
      if let kept, kept.data == data { return kept.bytes }
      let bytes = try inflate(data, byteCount: geometry.pageByteCount, isWhole: true)
      state.withLock { $0.kept[slot] = (data, bytes) }
      return bytes
    } catch {
      throw note(error, number)
    }
  }

  /// The first ``startByteCount`` bytes of a page; that the rest can be had is not said.
  func start(of number: UInt64, descriptor: UInt64) throws(KdumpPageError) -> [UInt8] {
    do throws(KdumpPageError.Reason) {
      let data = try self.data(descriptor: descriptor)
      let kept = state.withLock { $0.start }
      if let kept, kept.data == data { return kept.bytes }
      let bytes = try inflate(data, byteCount: Self.startByteCount, isWhole: false)
      state.withLock { $0.start = (data, bytes) }
      return bytes
    } catch {
      throw note(error, number)
    }
  }

  private func note(_ reason: KdumpPageError.Reason, _ number: UInt64) -> KdumpPageError {
    let address = PhysicalAddress(number &<< UInt64(geometry.shift))
    let error = KdumpPageError(address: address, reason: reason)
    state.withLock { state in
      if reason.isBeyondEndOfFile {
        state.missing = state.missing.map { ($0.pageCount &+ 1, $0.first) } ?? (1, error)
      } else {
        state.damage = state.damage.map { ($0.pageCount &+ 1, $0.first) } ?? (1, error)
      }
    }
    return error
  }

  private func inflate(
    _ data: PageData, byteCount: Int, isWhole: Bool
  ) throws(KdumpPageError.Reason) -> [UInt8] {
    // Half-open: the end was found to be inside the file.
    let result = file.withBytes(at: data.offset, count: UInt64(data.byteCount)) {
      bytes -> Result<[UInt8], KdumpPageError.Reason> in
      guard let compression = data.compression else {
        return .success(bytes.extracting(0..<byteCount).copiedBytes())
      }
      do throws(DecompressionError) {
        return .success(
          isWhole
            ? try compression.decompress(bytes, byteCount: byteCount)
            : try compression.decompressStart(of: bytes, byteCount: byteCount))
      } catch {
        return .failure(.notDecompressed(compression, error))
      }
    }
    guard let result else {
      throw .dataBeyondEndOfFile(fileOffset: data.offset, byteCount: data.byteCount)
    }
    return try result.get()
  }

  /// Lets the kernel take back the memory behind the data of a run of descriptors, as far as it is
  /// in one stretch of the file.
  func finishedReading(descriptors: Range<UInt64>) {
    guard let last = descriptors.last,
      let first = try? data(descriptor: descriptors.lowerBound),
      let end = try? data(descriptor: last)
    else { return }
    let (start, overflow) = descriptors.lowerBound.multipliedReportingOverflow(
      by: KdumpHeader.descriptorByteCount)
    guard !overflow else { return }
    let from = descriptorOffset &+ start
    file.finishedReading(
      from..<from &+ UInt64(descriptors.count) &* KdumpHeader.descriptorByteCount)
    if first.offset < end.offset {
      file.finishedReading(first.offset..<end.offset &+ UInt64(end.byteCount))
    }
  }

  /// Whether the data of the descriptor is not in the file, because it ends early or was never finished.
  func isMissing(descriptor: UInt64) -> Bool {
    do throws(KdumpPageError.Reason) {
      _ = try data(descriptor: descriptor)
      return false
    } catch {
      return error.isBeyondEndOfFile
    }
  }

  /// Where the data of a page is.
  private struct PageData: Equatable {
    let offset: UInt64
    let byteCount: UInt32
    /// Nil of data that is stored as it is.
    let compression: BlockCompression?
  }

  /// Reads and checks a descriptor: `page_desc`.
  private func data(descriptor index: UInt64) throws(KdumpPageError.Reason) -> PageData {
    let (place, overflow) = index.multipliedReportingOverflow(by: KdumpHeader.descriptorByteCount)
    let (start, overflow2) = descriptorOffset.addingReportingOverflow(place)
    let read =
      overflow || overflow2
      ? nil
      : file.withBytes(at: start, count: KdumpHeader.descriptorByteCount) { bytes in
        (
          offset: UInt64(littleEndian: bytes.word(atByte: 0) ?? 0),
          byteCount: UInt32(littleEndian: bytes.uint32(atByte: 8) ?? 0),
          flags: UInt32(littleEndian: bytes.uint32(atByte: 12) ?? 0)
        )
      }
    guard let (offset, byteCount, flags) = read else { throw .descriptorBeyondEndOfFile }
    // A descriptor that a dumper did not come to write.
    guard offset | UInt64(byteCount) | UInt64(flags) != 0 else { throw .descriptorBeyondEndOfFile }
    let compression = KdumpCompression(rawValue: flags).blockCompression
    guard compression != nil || flags == 0 else { throw .flagsUnknown(flags) }
    // A compressor adds at most a few bytes to what it cannot make smaller; a dumper stores that as it is.
    let pageByteCount = UInt32(geometry.pageByteCount)
    guard
      compression == nil
        ? byteCount == pageByteCount : byteCount <= pageByteCount &+ pageByteCount / 4 &+ 64
    else { throw .sizeWrong(byteCount: byteCount) }
    guard UInt64(byteCount) <= file.byteCount, offset <= file.byteCount &- UInt64(byteCount) else {
      throw .dataBeyondEndOfFile(fileOffset: offset, byteCount: byteCount)
    }
    return PageData(offset: offset, byteCount: byteCount, compression: compression)
  }
}
