import DeviceTreeBlob
import Testing

@Suite struct WriterTests {
  @Test func layoutIsThatOfOtherWriters() throws {
    let blob = try makeSample()
    #expect(word(at: 0, in: blob) == DeviceTreeHeader.magic)
    #expect(Int(word(at: 4, in: blob)) == blob.count)
    #expect(word(at: 8, in: blob) == 56)
    #expect(word(at: 16, in: blob) == 40)
    #expect(word(at: 20, in: blob) == 17)
    #expect(word(at: 24, in: blob) == 16)
    #expect(word(at: 12, in: blob) == 56 + word(at: 36, in: blob))
    #expect(word(at: 12, in: blob) + word(at: 32, in: blob) == word(at: 4, in: blob))
    #expect(blob[40..<56].allSatisfy { $0 == 0 })
    // `blob-size` is used twice and stored once.
    let names = ["compatible", "preserved-memory-map", "blob-size", "preserved-data", "reg", "one"]
    let all = names + ["long", "short", "flag"]
    #expect(Int(word(at: 32, in: blob)) == all.reduce(0) { $0 + $1.utf8.count + 1 })
  }

  @Test func emptyTreeAndReservations() throws {
    let empty = try makeBlob { (_) throws(DeviceTreeWriterError) in }
    #expect(empty.count == 72)
    #expect(try outline(empty) == ["/"])
    let reserved = try makeBlob { writer throws(DeviceTreeWriterError) in
      try writer.reserve(address: 1, byteCount: 2)
      try writer.reserve(address: 0, byteCount: 3)
    }
    #expect(reserved.count == 104)
    try withBytes(of: reserved) { span in
      let tree = try DeviceTree(validating: span)
      #expect(tree.reservationCount == 2)
      #expect(tree.reservation(at: 0)?.address == 1 && tree.reservation(at: 0)?.byteCount == 2)
      #expect(tree.reservation(at: 1)?.byteCount == 3)
      #expect(tree.reservation(at: 2) == nil && tree.reservation(at: -1) == nil)
    }
  }

  @Test func everyCapacity() throws {
    let exact = try DeviceTreeWriter.exactByteCount { writer throws(DeviceTreeWriterError) in
      try writeSample(&writer)
    }
    let expected = try makeSample()
    for capacity in 0...(exact + 40) {
      var bytes = [UInt8](repeating: 0x5a, count: capacity + 64)
      var outcome: DeviceTreeWriterError? = nil
      withMutableBytes(of: &bytes) { memory in
        var room = memory._mutatingExtracting(32..<(32 + capacity))
        do throws(DeviceTreeWriterError) {
          let written = try DeviceTreeWriter.write(into: &room) {
            writer throws(DeviceTreeWriterError) in try writeSample(&writer)
          }
          #expect(written == exact)
        } catch { outcome = error }
      }
      #expect(
        bytes[..<32].allSatisfy { $0 == 0x5a }
          && bytes[(32 + capacity)...].allSatisfy { $0 == 0x5a })
      let inside = Array(bytes[32..<(32 + capacity)])
      if capacity >= exact {
        #expect(outcome == nil && Array(inside[..<exact]) == expected, "capacity \(capacity)")
      } else {
        guard case .outOfRoom(let needed) = outcome else {
          Issue.record("capacity \(capacity): \(String(describing: outcome))")
          continue
        }
        // All names take 87 bytes; with room for them the count is exact.
        #expect(needed >= exact && (capacity < 96 || needed == exact), "capacity \(capacity)")
        #expect(throws: DeviceTreeError.self) { try outline(inside) }
      }
    }
  }

  private func error(
    _ body: (inout DeviceTreeWriter) throws(DeviceTreeWriterError) -> Void
  ) -> DeviceTreeWriterError? {
    do throws(DeviceTreeWriterError) {
      _ = try DeviceTreeWriter.exactByteCount(body)
      return nil
    } catch { return error }
  }

  @Test func everyMistakeIsNamed() throws {
    typealias Failure = DeviceTreeWriterError
    #expect(error { w throws(Failure) in try w.endNode() } == .noOpenNode)
    #expect(error { w throws(Failure) in try w.beginNode("a") } == .unclosedNodes(count: 1))
    #expect(error { w throws(Failure) in try w.beginNode("") } == .emptyName)
    #expect(error { w throws(Failure) in try w.property("") } == .emptyName)
    #expect(error { w throws(Failure) in try w.property("a/b") } == .nameContainsSlash(offset: 1))
    #expect(error { w throws(Failure) in try w.beginNode("ab\0") } == .nameContainsNUL(offset: 2))
    let long = String(repeating: "x", count: 256)
    #expect(error { w throws(Failure) in try w.property(long) } == .nameTooLong(byteCount: 256))
    #expect(error { w throws(Failure) in try w.property(String(long.dropLast())) } == nil)
    #expect(
      error { w throws(Failure) in try w.property("p", string: "a\0b") }
        == .stringContainsNUL(offset: 1))
    #expect(
      error { w throws(Failure) in
        try w.beginNode("a")
        try w.endNode()
        try w.property("p")
      } == .propertyAfterChildNode)
    #expect(
      error { w throws(Failure) in
        try w.property("p")
        try w.reserve(address: 1, byteCount: 1)
      } == .reservationAfterContent)
    #expect(
      error { w throws(Failure) in try w.reserve(address: 0, byteCount: 0) } == .badReservation)
    #expect(
      error { w throws(Failure) in try w.reserve(address: .max, byteCount: 2) } == .badReservation)
    func deep(_ count: Int) -> DeviceTreeWriterError? {
      error { w throws(Failure) in
        for _ in 0..<count { try w.beginNode("a") }
        for _ in 0..<count { try w.endNode() }
      }
    }
    #expect(deep(DeviceTree.maximumDepth) == nil)
    #expect(deep(DeviceTree.maximumDepth + 1) == .tooDeep)
  }

  @Test func namesBeyondTheScratchNeedMemory() throws {
    func body(_ writer: inout DeviceTreeWriter) throws(DeviceTreeWriterError) {
      for _ in 0..<2 { for index in 1000..<1400 { try writer.property("name\(index)") } }
    }
    #expect(throws: DeviceTreeWriterError.namesOutOfRoom) {
      try DeviceTreeWriter.exactByteCount { writer throws(DeviceTreeWriterError) in
        try body(&writer)
      }
    }
    var names = [UInt8](repeating: 0, count: 400 * 9)
    let exact = try withMutableBytes(of: &names) { memory in
      try DeviceTreeWriter.exactByteCount(withNamesIn: &memory) {
        writer throws(DeviceTreeWriterError) in try body(&writer)
      }
    }
    #expect(exact == 72 + 800 * 12 + 400 * 9)
    var bytes = [UInt8](repeating: 0, count: exact)
    #expect(
      try write(into: &bytes, { writer throws(DeviceTreeWriterError) in try body(&writer) })
        == exact)
    #expect(try outline(bytes).count == 801)
  }

  @Test func randomTreesComeBack() throws {
    for seed in 0..<300 as Range<UInt64> {
      var lines: [String] = []
      func body(_ writer: inout DeviceTreeWriter) throws(DeviceTreeWriterError) {
        var generator = SeededGenerator(state: seed)
        lines = ["/"]
        var depth = 0
        var mayHaveProperties = true
        for step in 0..<40 {
          switch Int.random(in: 0..<3, using: &generator) {
          case 0 where mayHaveProperties:
            let name = "p\(Int.random(in: 0..<10, using: &generator))"
            let value = (0..<Int.random(in: 0..<9, using: &generator)).map { UInt8($0 + step) }
            // SAFETY: an array is initialised.
            unsafe try writer.property(name, bytes: value.span.bytes)
            let text = value.map { String($0, radix: 16) }.joined(separator: " ")
            lines.append(String(repeating: "  ", count: depth + 1) + name + "=" + text)
          case 1:
            depth += 1
            try writer.beginNode("n\(step)")
            lines.append(String(repeating: "  ", count: depth) + "n\(step)/")
            mayHaveProperties = true
          default:
            guard depth > 0 else { continue }
            try writer.endNode()
            depth -= 1
            mayHaveProperties = false
          }
        }
        for _ in 0..<depth { try writer.endNode() }
      }
      let blob = try makeBlob { writer throws(DeviceTreeWriterError) in try body(&writer) }
      #expect(try outline(blob) == lines, "seed \(seed)")
    }
  }
}
