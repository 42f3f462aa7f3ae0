import Foundation
import HandoverTestSupport
import KexecHandover
import PersistentCollections
import SystemPackage
import Testing

@testable import ProcessHandover

/// Files on a disk that another boot of the kernel left.
@Suite(.namesCombination) struct TornFileTests {
  private static let folder = FileManager.default.temporaryDirectory

  /// Whether temporary files are on a disk here.
  static let hasDisk: Bool = {
    let path = FilePath(folder.path + "/disk-\(UUID().uuidString)")
    let file = try? MemoryFile.create(.path(path), byteCount: 4096)
    return file?.storage == .disk
  }()

  private func withStore(
    _ body: (FilePath) throws -> Void
  ) throws {
    let path = FilePath(Self.folder.path + "/torn-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(atPath: path.string) }
    let store = try PersistentStore.open(path, byteCount: 1 << 20)
    let map = try store.map("map", of: (UInt64.self, UInt64.self))
    for number in 0..<2000 as Range<UInt64> { try map.set(number, for: number) }
    _ = store.close()
    try body(path)
  }

  private func isTorn(_ path: FilePath) throws -> Bool {
    let memory = try PreservedMemory.open(path)
    return memory.mayBeTorn
  }

  /// Makes the file look as if another boot had left it.
  private func age(_ path: FilePath) throws {
    var superblock = try Superblock(reading: try MemoryFile.open(path))
    superblock.store { $0.boot = 7 }
  }

  @Test(.enabled(if: hasDisk, "temporary files are not on a disk here"))
  func aWholeFileIsOpened() throws {
    try withStore { path in
      #expect(try !isTorn(path))
      try age(path)
      do {
        let memory = try PreservedMemory.open(path)
        let mayBeTorn = memory.mayBeTorn
        #expect(mayBeTorn)
        let store = try PersistentStore(memory)
        #expect(try store.map("map", of: (UInt64.self, UInt64.self)).count == 2000)
      }
      // It is checked once.
      #expect(try !isTorn(path))
    }
  }

  @Test(.enabled(if: hasDisk, "temporary files are not on a disk here"))
  func aTornFileIsRefused() throws {
    try withStore { path in
      // An entry's page as it was before anything was stored there.
      let file = try MemoryFile.open(path)
      let contents = try MemoryContents(reading: file)
      let inspection = try #require(try StoreInspection(contents, in: file))
      let piece = try #require(
        inspection.collections[0].pieces.max { $0.byteCount < $1.byteCount })
      let page = PhysicalRange(
        start: piece.start.advanced(byBytes: 4096), byteCount: 4096)
      file.withMutableBytes(in: page) { bytes in
        for offset in 0..<4096 { bytes.storeBytes(of: 0, toByteOffset: offset, as: UInt8.self) }
      }
      #expect(throws: Never.self) { _ = try PersistentStore.open(path) }
      try age(path)
      // The first refusal leaves the mark of the other boot.
      for _ in 0..<2 {
        #expect {
          _ = try PersistentStore.open(path)
        } throws: { error in
          if case .damaged = error as? PersistentCollectionError { true } else { false }
        }
      }
    }
  }
}
