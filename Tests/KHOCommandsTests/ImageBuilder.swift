import HandoverTestSupport
import KexecHandover

/// The bytes of an image file, made page by page of 4 KiB.
struct ImageBuilder {
  var pages: [UInt64: [UInt8]] = [:]
  /// Memory that exists and is not stored.
  var absent: [(start: UInt64, byteCount: UInt64)] = []
  /// EM_AARCH64, which says nothing about the page size; or EM_X86_64.
  var machine: UInt16 = 183

  static let pageByteCount: UInt64 = 4096

  /// Everything that an ELF image describes; pages that are holes of its file too.
  init(of image: MemoryImage) {
    guard case .elf(let core) = image else { preconditionFailure("not an ELF") }
    for segment in core.segments { add(segment.range, of: image) }
  }

  /// All of `memory`.
  init(of memory: AnonymousMemory) { add(memory.range, of: memory) }

  private mutating func add(_ range: PhysicalRange, of memory: some PhysicalMemory) {
    for offset in stride(from: 0, to: range.byteCount, by: Int(Self.pageByteCount)) {
      let start = range.start.advanced(byBytes: offset)
      let page = PhysicalRange(start: start, byteCount: Self.pageByteCount)
      pages[start.rawValue] = memory.withBytes(in: page) { $0.copiedBytes() }
    }
  }

  func byte(at address: UInt64) -> UInt8 {
    pages[address & ~4095].map { $0[Int(address & 4095)] } ?? 0
  }

  mutating func setByte(at address: UInt64, to value: UInt8) {
    pages[address & ~4095]?[Int(address & 4095)] = value
  }

  func word(at address: UInt64) -> UInt64 {
    (0..<8 as Range<UInt64>).reduce(0) { $0 | UInt64(byte(at: address + $1)) << ($1 * 8) }
  }

  mutating func setWord(at address: UInt64, to value: UInt64) {
    for index in 0..<8 as Range<UInt64> {
      setByte(at: address + index, to: UInt8(truncatingIfNeeded: value >> (index * 8)))
    }
  }

  mutating func clearPage(at address: UInt64) {
    pages[address] = [UInt8](repeating: 0, count: Int(Self.pageByteCount))
  }

  /// An ELF core file.
  func elf() -> [UInt8] {
    var segments: [(start: UInt64, stored: [UInt8], byteCount: UInt64)] = []
    for (start, bytes) in pages.sorted(by: { $0.key < $1.key }) {
      if let previous = segments.last, previous.start + previous.byteCount == start {
        segments[segments.count - 1].stored += bytes
        segments[segments.count - 1].byteCount += UInt64(bytes.count)
      } else {
        segments.append((start, bytes, UInt64(bytes.count)))
      }
    }
    segments += absent.map { ($0.start, [], $0.byteCount) }

    var file: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9)
    for (value, byteCount) in [
      (4, 2), (UInt64(machine), 2), (1, 4), (0, 8), (64, 8), (0, 8), (0, 4), (64, 2), (56, 2),
      (UInt64(segments.count), 2), (0, 2), (0, 2), (0, 2),
    ] {
      file.append(value, byteCount: byteCount)
    }
    var offset = UInt64(64 + 56 * segments.count)
    for segment in segments {
      file.append(1, byteCount: 4)
      file.append(6, byteCount: 4)
      for field in [offset, 0, segment.start, UInt64(segment.stored.count), segment.byteCount, 0] {
        file.append(field, byteCount: 8)
      }
      offset += UInt64(segment.stored.count)
    }
    return segments.reduce(into: file) { $0 += $1.stored }
  }

  /// The stored bytes one after the other; without gaps between them, a raw image.
  func raw() -> [UInt8] {
    pages.sorted { $0.key < $1.key }.flatMap(\.value)
  }
}

extension [UInt8] {
  fileprivate mutating func append(_ value: UInt64, byteCount: Int) {
    for index in 0..<UInt64(byteCount) { append(UInt8(truncatingIfNeeded: value >> (index * 8))) }
  }
}

/// A blob of `byteCount` bytes in which `body` wrote a device tree.
func deviceTreePage(
  byteCount: Int = 4096,
  _ body: (inout DeviceTreeWriter) throws(DeviceTreeWriterError) -> Void
) throws(DeviceTreeWriterError) -> [UInt8] {
  var page = [UInt8](repeating: 0, count: byteCount)
  var span = page.mutableSpan
  var bytes = span.rawBytes
  _ = try DeviceTreeWriter.write(into: &bytes, body)
  return page
}
