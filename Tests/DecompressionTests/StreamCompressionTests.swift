import Decompression
import Foundation
import HandoverTestSupport
import MemoryAccess
import Testing

/// Whole files as the commands make them, where those are installed.
@Suite(.namesCombination) struct StreamCompressionTests {
  private static let commands:
    [(name: String, arguments: [[String]], compression: StreamCompression)] = [
      ("gzip", [["-1"], ["-9"]], .gzip),
      ("zstd", [["-1"], ["-19"], ["--ultra", "-22"], ["--no-check"]], .zstd),
      ("xz", [["-0"], ["-9e"], ["--check=crc32"], ["--check=sha256"], ["--check=none"]], .xz),
    ]

  private static func path(of command: String) -> String? {
    ["/usr/bin/", "/bin/", "/usr/local/bin/"].map { $0 + command }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  private static var installed: [String] { commands.map(\.name).filter { path(of: $0) != nil } }

  private func compress(_ bytes: [UInt8], _ command: String, _ arguments: [String]) throws
    -> [UInt8]
  {
    let input = FileManager.default.temporaryDirectory.appending(
      path: "stream-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: input) }
    try Data(bytes).write(to: input)
    let process = Process()
    process.executableURL = URL(filePath: try #require(Self.path(of: command)))
    process.arguments = arguments + ["-q", "-c", input.path]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let compressed = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return [UInt8](compressed)
  }

  private func decompress(
    _ stream: [UInt8], _ compression: StreamCompression
  ) throws(DecompressionError) -> [UInt8] {
    final class Sink { var bytes: [UInt8] = [] }
    let sink = Sink()
    var failure: DecompressionError?
    do throws(DecompressionError) {
      try stream.withRawSpan { (bytes) throws(DecompressionError) in
        try compression.decompress(bytes) {
          sink.bytes += $0.copiedBytes()
          return true
        }
      }
    } catch {
      failure = error
    }
    if let failure { throw failure }
    return sink.bytes
  }

  /// Some MiB of pages, with long runs of zeros.
  private func content() -> [UInt8] {
    var random = SeededGenerator(seed: 5)
    var bytes: [UInt8] = []
    while bytes.count < 3 << 20 {
      bytes +=
        random.isOne(in: 4)
        ? [UInt8](repeating: 0, count: random.index(below: 400_000))
        : generatedPage(&random, byteCount: 20_000)
    }
    return bytes
  }

  @Test(arguments: installed)
  func filesOfTheCommand(_ name: String) throws {
    let command = try #require(Self.commands.first { $0.name == name })
    let bytes = content()
    try withEvery("arguments", in: command.arguments) { arguments in
      let stream = try compress(bytes, name, arguments)
      try #require(StreamCompression(startingWith: stream) == command.compression)
      try #require(try decompress(stream, command.compression) == bytes)
      // Two files, one after the other, are both.
      let twice = try decompress(stream + stream, command.compression)
      try #require(twice == bytes + bytes)
      // Cut anywhere: an error, and never more than there is.
      var random = SeededGenerator(seed: 9)
      for _ in 0..<3 {
        let cut = Array(stream.prefix(6 + random.index(below: stream.count - 6)))
        #expect(throws: DecompressionError.self) { try decompress(cut, command.compression) }
      }
      // A bit that flips is an error, a check permitting, or in a field that says nothing.
      for _ in 0..<6 {
        var damaged = stream
        damaged[100 + random.index(below: stream.count - 100)] ^= 1 << UInt8(random.index(below: 8))
        let output = try? decompress(damaged, command.compression)
        if !arguments.contains("--check=none"), !arguments.contains("--no-check"),
          !arguments.contains("--check=sha256")
        {
          try #require(output == nil || output == bytes)
        }
      }
    }
  }

  @Test func stopping() throws {
    // gzip -n of "hello\n".
    let hello: [UInt8] = [
      0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xe7, 2, 0, 0x20, 0x30,
      0x3a,
      0x36, 6, 0, 0, 0,
    ]
    #expect(try decompress(hello, .gzip) == Array("hello\n".utf8))
    #expect(throws: DecompressionError.stopped) {
      try hello.withRawSpan { bytes in try StreamCompression.gzip.decompress(bytes) { _ in false } }
    }
    for length in 0..<hello.count {
      #expect(throws: DecompressionError.inputEnds) {
        try decompress(Array(hello[..<length]), .gzip)
      }
    }
    #expect(StreamCompression(startingWith: [0x1f]) == nil)
  }

  /// A window that no memory is given for.
  @Test func largeWindows() {
    let stream: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0, 0xff, 1, 0, 0]
    #expect(throws: DecompressionError.self) { try decompress(stream, .zstd) }
  }
}
