import Foundation
import KexecHandover
import Measuring

// The decoders of compressed dumps beside the C libraries whose streams they read.
//
//   DecodingSpeed [PAGES [REPETITIONS]]     10,000 pages and 9 repetitions by default
//
// Each library compresses the same generated pages of 4 KiB. In each repetition, product and library decode all of
// them in turn, and each time another one is first. Figures are processor time of the thread, so that waiting for a
// core does not count. A ratio is the median of the ratios within a repetition: above 1 the product is faster.

@main
enum DecodingSpeed {
  static func main() throws {
    let arguments = CommandLine.arguments.dropFirst().map { Int($0) }
    guard arguments.count <= 2, arguments.allSatisfy({ $0 ?? 0 > 0 }) else {
      FileHandle.standardError.write(Data("usage: DecodingSpeed [PAGES [REPETITIONS]]\n".utf8))
      exit(2)
    }
    let pages = Pages(count: arguments.first.flatMap(\.self) ?? 10_000)
    let repetitions = arguments.dropFirst().first.flatMap(\.self) ?? 9
    print(
      "| \(pages.count) pages of 4 KiB, compressed by | to | product, MiB/s | library, MiB/s | ratio |"
    )
    print("|---|--:|--:|--:|--:|")
    for compression in BlockCompression.allCases {
      let library: CDecoder
      do {
        library = try CDecoder(compression)
      } catch let absence as PeerFailure {
        print("| \(compression): \(absence.reason) | | | | |")
        continue
      }
      for compressor in library.compressors {
        try measure(compressor, library, pages, repetitions)
      }
    }
  }

  private static func measure(
    _ compressor: CDecoder.Compressor, _ library: CDecoder, _ pages: Pages, _ repetitions: Int
  ) throws {
    let streams = pages.all.map { compressor.compress($0) }
    var output = [UInt8](repeating: 0, count: Pages.byteCount)
    func product(_ stream: [UInt8]) -> [UInt8] {
      // A stream that cannot be decoded ends the program.
      try! stream.withRawSpan { bytes in
        try library.compression.decompress(bytes, byteCount: Pages.byteCount)
      }
    }
    // Once to warm up, and to compare.
    for (page, stream) in zip(pages.all, streams) {
      library.decompress(stream, &output)
      guard product(stream) == page, output == page else {
        throw PeerFailure(reason: "\(compressor.name) decodes a page to other bytes")
      }
    }

    var products: [Double] = []
    var libraries: [Double] = []
    for repetition in 0..<repetitions {
      for turn in 0..<2 {
        let start = threadTime()
        if (repetition + turn) % 2 == 0 {
          for stream in streams where product(stream).isEmpty { fatalError("an empty page") }
          products.append(threadTime() - start)
        } else {
          for stream in streams { library.decompress(stream, &output) }
          libraries.append(threadTime() - start)
        }
      }
    }
    let ratios = zip(libraries, products).map { $0 / $1 }
    func speed(_ times: [Double]) -> Int {
      Int(Double(pages.count * Pages.byteCount) / (median(times) ?? .nan) * 1e9 / 1_048_576)
    }
    let share = streams.reduce(0) { $0 + $1.count } * 100 / (pages.count * Pages.byteCount)
    print(
      "| \(compressor.name) | \(share) % | \(speed(products)) | \(speed(libraries)) | "
        + String(format: "%.2f× |", median(ratios) ?? .nan))
    fflush(nil)
  }
}
