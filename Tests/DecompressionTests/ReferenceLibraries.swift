import Decompression
import Foundation
import HandoverTestSupport

/// The C libraries that make compressed pages, where they are installed: what the decoders are compared with.
///
/// `@unchecked Sendable`: functions of libraries that stay loaded.
struct ReferenceLibrary: @unchecked Sendable {
  private typealias Bytes = UnsafePointer<UInt8>
  private typealias Buffer = UnsafeMutablePointer<UInt8>
  private typealias Length = UnsafeMutablePointer<Int>

  let compression: BlockCompression
  /// Compresses bytes in one of several ways; of a choice that does not matter, in the only one.
  let compress: (_ bytes: [UInt8], _ choice: Int) -> [UInt8]

  /// The library for `compression`; nil where it is not installed.
  init?(_ compression: BlockCompression) {
    self.compression = compression
    let name =
      switch compression {
      case .zlib: "libz.so.1"
      case .lzo: "liblzo2.so.2"
      case .snappy: "libsnappy.so.1"
      case .zstd: "libzstd.so.1"
      }
    guard let library = unsafe dlopen(name, RTLD_NOW) else { return nil }
    func function<Function>(_ name: String, _ type: Function.Type) -> Function? {
      // SAFETY: the type is that of the function in the library's header.
      unsafe dlsym(library, name).map { unsafe unsafeBitCast($0, to: type) }
    }
    func compressed(
      _ bytes: [UInt8], _ call: (Buffer, inout Int) -> Void
    ) -> [UInt8] {
      // SAFETY: no compressor makes more than an eighth and some bytes more than its input.
      unsafe [UInt8](unsafeUninitializedCapacity: bytes.count * 2 + 1024) { buffer, count in
        count = bytes.count * 2 + 1024
        unsafe call(buffer.baseAddress!, &count)
      }
    }
    switch compression {
    case .zlib:
      guard
        let call = unsafe function(
          "compress2", (@convention(c) (Buffer, Length, Bytes, Int, CInt) -> CInt).self)
      else { return nil }
      compress = { bytes, choice in
        unsafe compressed(bytes) { buffer, count in
          _ = unsafe call(buffer, &count, bytes, bytes.count, [1, 6, 9][choice % 3])
        }
      }
    case .lzo:
      typealias Call = @convention(c) (Bytes, Int, Buffer, Length, Buffer) -> CInt
      guard let fast = unsafe function("lzo1x_1_compress", Call.self),
        let best = unsafe function("lzo1x_999_compress", Call.self)
      else { return nil }
      compress = { bytes, choice in
        var work = [UInt8](repeating: 0, count: 1 << 20)
        return unsafe compressed(bytes) { buffer, count in
          _ = unsafe (choice % 2 == 0 ? fast : best)(bytes, bytes.count, buffer, &count, &work)
        }
      }
    case .snappy:
      guard
        let call = unsafe function(
          "snappy_compress", (@convention(c) (Bytes, Int, Buffer, Length) -> CInt).self)
      else { return nil }
      compress = { bytes, _ in
        unsafe compressed(bytes) { buffer, count in
          _ = unsafe call(bytes, bytes.count, buffer, &count)
        }
      }
    case .zstd:
      guard
        let call = unsafe function(
          "ZSTD_compress", (@convention(c) (Buffer, Int, Bytes, Int, CInt) -> Int).self)
      else { return nil }
      compress = { bytes, choice in
        unsafe compressed(bytes) { buffer, count in
          count = unsafe call(buffer, count, bytes, bytes.count, [1, 3, 9, 19][choice % 4])
        }
      }
    }
  }

  static let installed = BlockCompression.allCases.compactMap { ReferenceLibrary($0) }
}

/// Pages as machines have them: text, pointers, runs, noise, and what repeats itself.
func generatedPage(_ random: inout SeededGenerator, byteCount: Int) -> [UInt8] {
  var bytes: [UInt8] = []
  let kind = random.index(below: 6)
  let words = (0..<20).map { _ in
    (0..<2 + random.index(below: 12)).map { _ in UInt8(97 + random.index(below: 26)) }
  }
  while bytes.count < byteCount {
    switch kind {
    case 0: bytes.append(UInt8(random.index(below: 256)))
    case 1: bytes += random.pick(words) + [32]
    case 2:
      bytes += [UInt8](
        repeating: UInt8(random.index(below: 4)), count: random.index(below: 400))
    case 3:
      let pointer = 0xffff_8880_0000_0000 | (random.next() & 0xff_ffff) << 6
      bytes += (0..<8 as Range<UInt64>).map { UInt8(truncatingIfNeeded: pointer >> ($0 * 8)) }
      bytes += [UInt8](repeating: 0, count: random.index(below: 40))
    case 4 where bytes.count > 10 && !random.isOne(in: 3):
      let distance = 1 + random.index(below: bytes.count)
      for _ in 0..<3 + random.index(below: 100) { bytes.append(bytes[bytes.count - distance]) }
    case 4: bytes.append(UInt8(random.index(below: 256)))
    default: bytes += random.pick(words) + [UInt8](repeating: 0, count: random.index(below: 20))
    }
  }
  return Array(bytes.prefix(byteCount))
}
