import DeviceTreeBlob
import Testing

/// Damaged blobs: reading throws or walks in bounds, and never traps.
@Suite struct MutationTests {
  private func subjects() throws -> [[UInt8]] {
    [
      try makeSample(),
      try makeBlob { writer throws(DeviceTreeWriterError) in
        try writer.reserve(address: 0x1000, byteCount: 0x2000)
        try writer.property("p", string: "a")
      },
      rawBlob(
        structure: [4, 1, 0, 3, 2, 0, 0x6100_0000, 1, 0x6100_0000, 4, 2, 2, 9], strings: [112, 0]),
    ]
  }

  /// True when the bytes could be read.
  @discardableResult
  private func reads(_ bytes: [UInt8]) -> Bool {
    withBytes(of: bytes) { span in
      do throws(DeviceTreeError) {
        try readEverything(span)
        return true
      } catch { return false }
    }
  }

  @Test func everyTruncationIsAnError() throws {
    for blob in try subjects() {
      #expect(reads(blob))
      for count in 0..<blob.count {
        #expect(!reads(Array(blob[..<count])), "cut to \(count) of \(blob.count) bytes")
        // Cut with a total size that says so: the blocks reach beyond it.
        var honest = Array(blob[..<count])
        if count >= 8 { put(UInt32(count), at: 4, in: &honest) }
        #expect(!reads(honest), "cut to \(count) of \(blob.count) bytes, header agrees")
      }
    }
  }

  @Test func everyFlippedBit() throws {
    for blob in try subjects() {
      var readable = 0
      for bit in 0..<(blob.count * 8) {
        var bytes = blob
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        if reads(bytes) { readable += 1 }
      }
      // Values and names may change; most of the rest may not.
      #expect(readable > 0 && readable < blob.count * 8)
    }
  }

  @Test func everyByteCleared() throws {
    for blob in try subjects() {
      for index in 0..<blob.count {
        for value in [0x00, 0xff] as [UInt8] {
          var bytes = blob
          bytes[index] = value
          reads(bytes)
        }
      }
    }
  }

  @Test func everyWordOverflows() throws {
    for blob in try subjects() {
      for offset in stride(from: 0, through: blob.count - 4, by: 4) {
        for value in [0xffff_ffff, 0x8000_0000, 0x7fff_ffff, 0xffff_fffc, 0, 1, 2, 3, 4, 9] {
          var bytes = blob
          put(UInt32(value), at: offset, in: &bytes)
          reads(bytes)
        }
      }
    }
  }

  /// A failed expectation names subject and seed; each seed alone makes its mutation again.
  @Test func randomMutations() throws {
    for (index, blob) in try subjects().enumerated() {
      for seed in 0..<3_000 as Range<UInt64> {
        var generator = SeededGenerator(state: seed)
        var bytes = blob
        for _ in 0..<Int.random(in: 1...8, using: &generator) {
          let offset = Int.random(in: 0..<bytes.count, using: &generator)
          switch Int.random(in: 0..<4, using: &generator) {
          case 0: bytes[offset] = .random(in: 0...255, using: &generator)
          case 1: bytes.remove(at: offset)
          case 2: bytes.insert(bytes[offset], at: offset)
          default:
            let word = min(offset & ~3, bytes.count - 4)
            put(.random(in: 0...12, using: &generator), at: word, in: &bytes)
          }
        }
        guard reads(bytes) else { continue }
        // What can be read can be copied, and the copy says the same.
        let before = try outline(bytes)
        #expect(try editedCopy(of: bytes) == before, "subject \(index), seed \(seed)")
      }
    }
  }

  /// The outline after a child was added to one copy and removed from the next.
  private func editedCopy(of bytes: [UInt8]) throws -> [String] {
    var added = [UInt8](repeating: 0, count: bytes.count + 512)
    try withBytes(of: bytes) { span in
      let tree = try DeviceTree(validating: span)
      _ = try withMutableBytes(of: &added) { memory in
        try tree.write(into: &memory, addingChild: "a new one") {
          writer throws(DeviceTreeWriterError) in try writer.property("q")
        }
      }
    }
    var removed = [UInt8](repeating: 0, count: added.count)
    try withBytes(of: added) { span in
      let tree = try DeviceTree(validating: span)
      _ = try withMutableBytes(of: &removed) { memory in
        try tree.write(into: &memory, removingChild: "a new one")
      }
    }
    return try outline(removed)
  }

  /// A reader that holds a tree whose bytes change: every accessor throws or answers.
  @Test func bytesThatChangeWhileTheyAreRead() throws {
    let blob = try makeSample()
    let shared = UnsafeMutableRawBufferPointer.allocate(byteCount: blob.count, alignment: 8)
    // SAFETY: allocated in the line above, and nothing outlives the test.
    defer { unsafe shared.deallocate() }
    for offset in stride(from: 0, through: blob.count - 4, by: 4) {
      for value in [0, 1, 2, 3, 4, 9, 0xffff_ffff] as [UInt32] {
        // SAFETY: allocated above, freed when the test ends; nothing else runs while it is changed.
        unsafe shared.copyBytes(from: blob)
        let tree = unsafe try DeviceTree(validating: shared.bytes)
        unsafe shared.storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt32.self)
        _ = try? outline(tree)
        _ = try? tree.root.child(named: "cells@1000")?.child(named: "inner")
        _ = try? tree.checkNamesAreUnique(readingAtMost: 1000)
      }
    }
  }
}
