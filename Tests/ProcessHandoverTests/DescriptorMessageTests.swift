import HandoverTestSupport
import Testing

@testable import ProcessHandover

@Suite(.namesCombination) struct DescriptorMessageTests {
  @Test func whatIsWrittenIsRead() throws {
    for names in [[], ["memory"], (10..<74).map { String(repeating: "n", count: 62) + "\($0)" }] {
      let message = DescriptorMessage(names)
      #expect(message.bytes.count <= DescriptorMessage.byteCountLimit)
      #expect(try DescriptorMessage(parsing: message.bytes) == message)
    }
    #expect(DescriptorMessage(["ab", "c"]).bytes == Array("KHOD\u{1}\u{2}\u{2}ab\u{1}c".utf8))
  }

  @Test func whatNobodySends() throws {
    let header = Array("KHOD".utf8)
    let malformed: [[UInt8]] = [
      [], [0], header, header + [1], Array("KHOE".utf8) + [1, 0], header + [1, 1],
      header + [1, 0, 0], header + [1, 1, 0], header + [1, 1, 2, 97], header + [1, 1, 1, 58],
      header + [1, 1, 1, 0], header + [1, 1, 1, 0xff], header + [1, 2, 1, 97, 1, 97],
      header + [1, 1, 1, 97, 0], header + [1, 65] + (0..<65).flatMap { [2, 97, 32 + $0] },
      header + [1, 1, 65] + [UInt8](repeating: 97, count: 65), header + [1, 1, 255],
    ]
    for bytes in malformed {
      #expect(throws: DescriptorChannelError.malformedMessage, "\(bytes)") {
        try DescriptorMessage(parsing: bytes)
      }
    }
    for version in [0, 2, 255] as [UInt8] {
      #expect(throws: DescriptorChannelError.unsupportedVersion(version)) {
        try DescriptorMessage(parsing: header + [version, 0])
      }
    }
  }

  @Test func bytesOfAllKinds() throws {
    for seed in 0..<20_000 as Range<UInt64> {
      var generator = SeededGenerator(seed: seed)
      var bytes = DescriptorMessage(["memory", "lock", "a"]).bytes
      for _ in 0...generator.index(below: 3) {
        bytes[generator.index(below: bytes.count)] = UInt8.random(in: 0...255, using: &generator)
      }
      if generator.isOne(in: 3) { bytes.removeLast(generator.index(below: bytes.count)) }
      guard let message = try? DescriptorMessage(parsing: bytes) else { continue }
      try #require(message.bytes == bytes, "seed \(seed)")
    }
  }
}
