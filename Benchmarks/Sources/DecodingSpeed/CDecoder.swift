import Foundation
import KexecHandover
import Measuring

/// A C library that compresses and decodes pages. It is opened when the program runs, so building does not need it.
struct CDecoder {
  /// One of the library's compressors, with a level.
  struct Compressor {
    let name: String
    let compress: ([UInt8]) -> [UInt8]
  }

  let compression: BlockCompression
  let compressors: [Compressor]
  /// Decodes a stream into a page.
  let decompress: (_ stream: [UInt8], _ page: inout [UInt8]) -> Void

  private typealias Input = UnsafePointer<UInt8>
  private typealias Output = UnsafeMutablePointer<UInt8>
  private typealias Count = UnsafeMutablePointer<Int>

  /// - Throws: ``PeerFailure`` if the library is not installed.
  init(_ compression: BlockCompression) throws {
    self.compression = compression
    switch compression {
    case .zlib:
      let library = PeerLibrary("libz.so.1", of: "zlib1g")
      let compress: @convention(c) (Output, Count, Input, Int, CInt) -> CInt =
        try library.symbol("compress2")
      let uncompress: @convention(c) (Output, Count, Input, Int) -> CInt =
        try library.symbol("uncompress")
      compressors = ([1, 6] as [CInt]).map { level in
        Compressor(name: "zlib, level \(level)") { page in
          Self.made { compress($0, &$1, page, page.count, level) }
        }
      }
      decompress = { stream, page in
        var count = page.count
        Self.expect(uncompress(&page, &count, stream, stream.count) == 0)
      }
    case .lzo:
      typealias Compress = @convention(c) (Input, Int, Output, Count, Output) -> CInt
      let library = PeerLibrary("liblzo2.so.2", of: "liblzo2-2")
      let fast: Compress = try library.symbol("lzo1x_1_compress")
      let best: Compress = try library.symbol("lzo1x_999_compress")
      let uncompress: @convention(c) (Input, Int, Output, Count, Output?) -> CInt =
        try library.symbol("lzo1x_decompress_safe")
      compressors = [("LZO1X-1", fast), ("LZO1X-999", best)].map { name, compress in
        Compressor(name: name) { page in
          var work = [UInt8](repeating: 0, count: 1 << 20)
          return Self.made { compress(page, page.count, $0, &$1, &work) }
        }
      }
      decompress = { stream, page in
        var count = page.count
        Self.expect(uncompress(stream, stream.count, &page, &count, nil) == 0)
      }
    case .snappy:
      let library = PeerLibrary("libsnappy.so.1", of: "libsnappy1v5")
      let compress: @convention(c) (Input, Int, Output, Count) -> CInt =
        try library.symbol("snappy_compress")
      let uncompress: @convention(c) (Input, Int, Output, Count) -> CInt =
        try library.symbol("snappy_uncompress")
      compressors = [
        Compressor(name: "snappy") { page in Self.made { compress(page, page.count, $0, &$1) } }
      ]
      decompress = { stream, page in
        var count = page.count
        Self.expect(uncompress(stream, stream.count, &page, &count) == 0)
      }
    case .zstd:
      let library = PeerLibrary("libzstd.so.1", of: "libzstd1")
      let compress: @convention(c) (Output, Int, Input, Int, CInt) -> Int =
        try library.symbol("ZSTD_compress")
      let context: @convention(c) () -> OpaquePointer? = try library.symbol("ZSTD_createDCtx")
      let uncompress: @convention(c) (OpaquePointer?, Output, Int, Input, Int) -> Int =
        try library.symbol("ZSTD_decompressDCtx")
      compressors = ([1, 3] as [CInt]).map { level in
        Compressor(name: "zstd, level \(level)") { page in
          Self.made {
            $1 = compress($0, $1, page, page.count, level)
            return 0
          }
        }
      }
      // One context for all pages, as readers of dumps have it.
      let pages = context()
      decompress = { stream, page in
        Self.expect(uncompress(pages, &page, page.count, stream, stream.count) == page.count)
      }
    @unknown default: throw PeerFailure(reason: "no library is known")
    }
  }

  /// What a compressor writes into a buffer that is large enough for any page.
  private static func made(_ compress: (Output, inout Int) -> CInt) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 2 * Pages.byteCount) { buffer, count in
      count = buffer.count
      Self.expect(compress(buffer.baseAddress!, &count) == 0)
    }
  }

  private static func expect(_ isDone: Bool) {
    if !isDone { fatalError("a library of C refused a page") }
  }
}
