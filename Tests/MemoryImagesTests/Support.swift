import Foundation
import MemoryAccess
import MemoryImages
import SystemPackage
import Testing

/// A file in the temporary directory, removed with the object.
final class TemporaryFile {
  let path: FilePath

  init(_ bytes: [UInt8] = []) throws {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("memory-image-\(UUID().uuidString)")
    path = FilePath(url.path)
    try Data(bytes).write(to: url)
  }

  /// A sparse file of `byteCount` bytes: the given bytes at their offsets, holes elsewhere.
  convenience init(byteCount: UInt64, pieces: [(offset: UInt64, bytes: [UInt8])]) throws {
    try self.init()
    let handle = try #require(FileHandle(forWritingAtPath: path.string))
    defer { try? handle.close() }
    try handle.truncate(atOffset: byteCount)
    for piece in pieces {
      try handle.seek(toOffset: piece.offset)
      try handle.write(contentsOf: piece.bytes)
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: path.string) }
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers from the same seed on every machine.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// Bytes of which none is zero, so that no file system makes a hole of them.
  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: 1...255, using: &self) }
  }
}

extension PhysicalMemory {
  /// A copy of the bytes of `range`; nil when one is missing.
  func bytes(in range: PhysicalRange) -> [UInt8]? {
    withBytes(in: range) { $0.copiedBytes() }
  }

  /// All stored runs from `address` on; fails the test when they do not move on.
  func storedRanges(
    from address: PhysicalAddress = .zero, sourceLocation: SourceLocation = #_sourceLocation
  ) -> [PhysicalRange] {
    var found: [PhysicalRange] = []
    var next = address
    while let range = storedRange(atOrAfter: next), found.count < 100_000 {
      found.append(range)
      guard let last = range.last, range.start >= next else {
        Issue.record("no progress at \(next): \(range)", sourceLocation: sourceLocation)
        break
      }
      if last.rawValue == .max { break }
      next = last.advanced(byBytes: 1)
    }
    return found
  }
}

func range(_ start: UInt64, _ byteCount: UInt64) -> PhysicalRange {
  PhysicalRange(start: PhysicalAddress(start), byteCount: byteCount)
}

/// Bytes of mapped files that take memory of this process now: "shared" in /proc/self/statm,
/// proc(5). What other tests put on the heap does not count.
func residentFileByteCount() throws -> Int {
  let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
  try #require(fields.count > 2)
  return try #require(Int(fields[2])) * Int(sysconf(Int32(_SC_PAGESIZE)))
}
