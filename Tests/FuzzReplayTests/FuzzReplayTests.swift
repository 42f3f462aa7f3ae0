import Foundation
import FuzzTargets
import KexecHandover
import Testing

/// Every input of the fuzzers' corpus, once: what trapped or hung stays mended.
@Suite struct FuzzReplayTests {
  private static func corpus(_ name: String) throws -> [URL] {
    let root = URL(filePath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return try FileManager.default.contentsOfDirectory(
      at: root.appending(path: "Fuzz/Corpus/\(name)"), includingPropertiesForKeys: nil
    ).sorted { $0.path < $1.path }
  }

  @Test func deviceTrees() throws {
    let inputs = try Self.corpus("DeviceTree")
    #expect(inputs.count > 10)
    for input in inputs { try [UInt8](Data(contentsOf: input)).withRawSpan(fuzzDeviceTree) }
  }

  @Test func decompression() throws {
    let inputs = try Self.corpus("Decompression")
    #expect(inputs.count > 10)
    for input in inputs { try [UInt8](Data(contentsOf: input)).withRawSpan(fuzzDecompression) }
  }

  @Test func images() throws {
    let inputs = try Self.corpus("Images")
    #expect(inputs.count > 10)
    for input in inputs { try [UInt8](Data(contentsOf: input)).withRawSpan(fuzzImage) }
  }
}
