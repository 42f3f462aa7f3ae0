import Foundation
import HandoverTestSupport
import KexecHandover
import SystemPackage
import Testing

@testable import ProcessHandover

/// Files that a process must not take over: each is refused with an error that says why, and stays as it is.
@Suite(.namesCombination)
struct DamagedMemoryFileTests {
  private let folder: TemporaryFolder
  private let path: FilePath
  /// The bytes of a sound file.
  private let bytes: [UInt8]
  /// What a successor finds in it.
  private let entries: [PhysicalBlock]
  private let names: [String]

  init() throws {
    folder = try TemporaryFolder()
    path = folder.path.appending("memory")
    do {
      var memory = try PreservedMemory(creating: .path(path), byteCount: 256 << 10)
      try memory.makeRegion(named: "text", byteCount: 5000) {
        $0.storeBytes(of: 0x74, toByteOffset: 4999, as: UInt8.self)
      }
      _ = try memory.allocate(PageOrder(2))
      try memory.makeArea(named: "area", blockCount: 3)
      names = try memory.names()
    }
    bytes = try Array(Data(contentsOf: URL(filePath: path.string)))
    entries = try Self.entries(MemoryContents(reading: MemoryFile.open(path)), path)
  }

  private static func entries(
    _ contents: MemoryContents, _ path: FilePath
  ) throws -> [PhysicalBlock] {
    var entries: [PhysicalBlock] = []
    contents.survey?.pages?.forEachBlock(in: try MemoryFile.open(path)) { entries.append($0) }
    return entries
  }

  /// What becomes of a file of `changed` bytes.
  private func takeOver(_ changed: [UInt8], _ name: String = "changed") throws -> Outcome {
    let file = try folder.write(changed, to: name)
    let error: PreservedMemoryError
    do throws(PreservedMemoryError) {
      let memory = try PreservedMemory(adopting: try open(file))
      return .taken(
        entries: (try? Self.entries(MemoryContents(reading: memory.file), file)) ?? [],
        names: (try? memory.names()) ?? [])
    } catch let failure {
      error = failure
    }
    let after = try Array(Data(contentsOf: URL(filePath: file.string)))
    #expect(after == changed, "a file that was refused has changed")
    return .refused(error)
  }

  private func open(_ path: FilePath) throws(PreservedMemoryError) -> MemoryFile {
    do throws(MemoryFileError) { return try MemoryFile.open(path) } catch { throw .file(error) }
  }

  private enum Outcome {
    case taken(entries: [PhysicalBlock], names: [String])
    case refused(PreservedMemoryError)
  }

  @Test func theSoundFileIsTaken() throws {
    guard case .taken(let found, let foundNames) = try takeOver(bytes) else {
      Issue.record("refused")
      return
    }
    #expect(found == entries)
    #expect(foundNames == names)
  }

  /// Every bit of the first page: the file is refused, or the bit means nothing.
  @Test func flippedSuperblock() throws {
    let memory = try MemoryFile.open(path)
    var refusedCount = 0
    var first = bytes
    try withEvery("byte", in: 0..<2048) { byte in
      var isRefused: [Bool] = []
      for bit in 0..<8 {
        first[byte] ^= 1 << bit
        let changed = FirstPage(first, of: memory)
        isRefused.append((try? SuperblockContents(reading: changed)) == nil)
        first[byte] ^= 1 << bit
      }
      // A byte counts, or it does not. Only the bit of the first feature may be set behind the check
      // value: a process may have been killed between the two.
      try #require(
        Set(isRefused).count == 1
          || byte == 40 && isRefused == [false] + [Bool](repeating: true, count: 7))
      if isRefused.contains(true) { refusedCount += 1 }
    }
    // The header, the selector and one slot.
    #expect(refusedCount == (8 + 1 + 64) * 8)
  }

  /// A process that takes the memory over refuses damage that matters, and accepts the rest.
  @Test func flippedSuperblockOfAFile() throws {
    try withEvery("bit", in: stride(from: 0, to: 2048 * 8, by: 97)) { bit in
      var changed = bytes
      changed[bit / 8] ^= 1 << (bit % 8)
      let isSound = (try? SuperblockContents(reading: FirstPage(changed, of: nil))) != nil
      switch try takeOver(changed) {
      case .refused(.contents(.superblock)): try #require(!isSound)
      case .refused(let error): Issue.record("refused for another reason: \(error)")
      case .taken(let found, let foundNames):
        try #require(isSound)
        try #require(found == entries)
        try #require(foundNames == names)
      }
    }
  }

  /// Every bit of the nodes and the device tree: what is taken differs by the entry that was hit.
  @Test func flippedHandover() throws {
    let file = try MemoryFile.open(path)
    let survey = try #require(try MemoryContents(reading: file).survey)
    let pages = try #require(survey.pages)
    let deviceTree = try #require(survey.address)
    let treeByteCount = UInt64(survey.deviceTree?.byteCount ?? 0)
    let memory = MemoryCopy(of: file)
    withEvery("byte of the device tree", in: 0..<treeByteCount) { offset in
      for bit in 0..<8 {
        let place = deviceTree.advanced(byBytes: offset)
        memory.flip(bit: bit, at: place)
        #expect(throws: MemoryContentsError.deviceTreeChanged(deviceTree), "bit \(bit)") {
          try MemoryContents(reading: memory).requireSound()
        }
        memory.flip(bit: bit, at: place)
      }
    }
    try withEvery("node", in: pages.nodes) { node in
      for word in 0..<512 as Range<UInt64> {
        let place = node.advanced(byBytes: word * 8)
        // Of a page of zeros, a word here and there is as good as all of them.
        guard memory.word(at: place) != 0 || word % 61 == 0 else { continue }
        for bit in 0..<64 {
          let byte = place.advanced(byBytes: UInt64(bit / 8))
          memory.flip(bit: bit % 8, at: byte)
          let found = try MemoryContents(reading: memory)
          if (try? found.requireSound()) != nil {
            var foundEntries: Set<PhysicalBlock> = []
            found.survey?.pages?.forEachBlock(in: memory) { foundEntries.insert($0) }
            let difference = foundEntries.symmetricDifference(entries)
            try #require(difference.count <= 1, "word \(word), bit \(bit): \(difference)")
          }
          memory.flip(bit: bit % 8, at: byte)
        }
      }
    }
  }

  @Test func truncated() throws {
    try withEvery("bytes", in: [1, 7, 8, 511, 1535, 1536, 4095, 4096, 65536, bytes.count - 1]) {
      (count: Int) in
      guard
        case .refused(.contents(.superblock(let error))) = try takeOver(
          Array(bytes.prefix(count)))
      else {
        Issue.record("taken")
        return
      }
      switch error {
      case .tooShort(UInt64(count)), .truncated(UInt64(count), wanted: UInt64(bytes.count)): break
      default: Issue.record("\(error)")
      }
    }
  }

  @Test func foreign() throws {
    let elf: [UInt8] = [0x7f, 0x45, 0x4c, 0x46] + [UInt8](repeating: 1, count: 8192)
    guard case .refused(.contents(.superblock(.notMemoryFile))) = try takeOver(elf) else {
      Issue.record("taken")
      return
    }
    let zeros = [UInt8](repeating: 0, count: 8192)
    guard case .refused(.contents(.superblock(.notMemoryFile(magic: 0)))) = try takeOver(zeros)
    else {
      Issue.record("taken")
      return
    }
  }

  /// A header of a later layout is whole, and says so; nothing behind it is looked at.
  @Test func newerVersion() throws {
    var changed = bytes
    for version in [0, 3, 77] as [UInt64] {
      changed.store(version, atWord: 1)
      changed.store(ReferenceCRC.of(changed.prefix(56)), atWord: 7)
      guard case .refused(let error) = try takeOver(changed) else {
        Issue.record("taken")
        return
      }
      #expect(error == .contents(.superblock(.versionUnknown(version))))
    }
  }
}

extension [UInt8] {
  /// Stores a little-endian word.
  fileprivate mutating func store(_ word: UInt64, atWord index: Int) {
    for byte in 0..<8 { self[index * 8 + byte] = UInt8(truncatingIfNeeded: word >> (8 * byte)) }
  }
}

/// A first page, and for everything else that is asked a sound file.
private struct FirstPage: PhysicalMemory {
  private let bytes: [UInt8]
  private let file: MemoryFile?

  init(_ bytes: [UInt8], of file: MemoryFile?) {
    self.bytes = bytes
    self.file = file
  }

  var byteCount: UInt64 { UInt64(bytes.count) }
  private var range: PhysicalRange { PhysicalRange(start: .zero, byteCount: byteCount) }
  func contains(_ wanted: PhysicalRange) -> Bool { range.contains(wanted) }
  func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    file?.storedRange(atOrAfter: address)
  }

  func withBytes<Result: ~Copyable, Failure: Error>(
    in wanted: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard range.contains(wanted) else { return nil }
    return try bytes.withRawSpan { (all) throws(Failure) in
      let start = Int(wanted.start.rawValue)
      return try body(all.extracting(start..<start + Int(wanted.byteCount)))
    }
  }
}

/// CRC-64/XZ, bit by bit from its definition: its check of "123456789" is 0x995dc9bbdf1939fa.
enum ReferenceCRC {
  static func of(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var crc = UInt64.max
    for byte in bytes {
      crc ^= UInt64(byte)
      for _ in 0..<8 { crc = crc & 1 == 0 ? crc >> 1 : crc >> 1 ^ 0xc96c_5795_d787_0f42 }
    }
    return ~crc
  }
}

@Suite struct ReferenceCRCTests {
  @Test func checkOfTheCatalogue() {
    #expect(ReferenceCRC.of("123456789".utf8) == 0x995d_c9bb_df19_39fa)
  }
}
