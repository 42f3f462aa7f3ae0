import Foundation
import HandoverTestSupport
import KexecHandover
import PersistentCollections
import Platform
import Synchronization
import SystemPackage
import Testing

/// Copies of a store on a disk, and what a power loss leaves of them.
@Suite(.namesCombination) struct DurableCopiesTests {
  /// A folder that is removed at the end.
  private final class Folder {
    let path = FilePath(
      FileManager.default.temporaryDirectory.path + "/durable-\(UUID().uuidString)")

    init() throws {
      try FileManager.default.createDirectory(
        atPath: path.string, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path.string) }

    var copies: FilePath { path.appending("copies") }

    /// Changes bytes of a file in the folder of the copies.
    func overwrite(_ name: String, at offset: UInt64, with bytes: [UInt8]) throws {
      let file = try FileDescriptor.open(copies.appending(name), .readWrite)
      defer { try? file.close() }
      try file.writeAll(toAbsoluteOffset: Int64(offset), bytes)
    }
  }

  private func store() throws -> PersistentStore {
    try PersistentStore(
      PreservedMemory(creating: .memfd(name: "store"), byteCount: 1 << 20, growableTo: 1 << 28))
  }

  private func change(_ store: PersistentStore, to number: UInt64) throws {
    let map = try store.map("map", of: (UInt64.self, UInt64.self))
    let log = try store.orderedMap("numbers", of: (UInt64.self, String.self))
    try store.transaction {
      for key in 0..<200 as Range<UInt64> { try map.set(number, for: key) }
      try log.set("number \(number)", for: number)
    }
  }

  /// The number in every entry of the newest copy in the folder.
  private func restored(_ folder: Folder) throws -> UInt64 {
    let path = folder.path.appending("restored-\(UUID().uuidString)")
    try DurableCopies.restore(from: folder.copies, to: path)
    let store = try PersistentStore.open(path)
    let map = try store.map("map", of: (UInt64.self, UInt64.self))
    let numbers = try store.orderedMap("numbers", of: (UInt64.self, String.self))
    let number = try #require(try numbers.last?.key)
    try #require(map.entries.allSatisfy { $0.1 == number })
    try #require(try map.count == 200)
    try #require(try map.check().findings == [])
    try #require(try numbers.check().findings == [])
    return number
  }

  @Test func commitsByTurns() throws {
    let folder = try Folder()
    let store = try store()
    do {
      let copies = try DurableCopies(of: store, in: folder.copies)
      #expect(throws: DurableCopiesError.inUse) {
        _ = try DurableCopies(of: store, in: folder.copies)
      }
      for number in 1...6 as ClosedRange<UInt64> {
        try change(store, to: number)
        let commit = try copies.commit()
        #expect(commit.number == number && commit.writtenByteCount > 0)
      }
      // Both copies have everything now.
      try copies.commit()
      #expect(try copies.commit().writtenByteCount == 0)
    }
    #expect(try restored(folder) == 6)
    // Another process goes on, and another store is refused.
    let copies = try DurableCopies(of: store, in: folder.copies)
    try change(store, to: 7)
    #expect(try copies.commit().number == 9)
    _ = consume copies
    #expect(try restored(folder) == 7)
    let other = try self.store()
    #expect(throws: DurableCopiesError.otherStore) {
      _ = try DurableCopies(of: other, in: folder.copies)
    }
  }

  /// The process ends in any system call of a commit, and the machine loses its power: the copy and the record that
  /// were being written may contain anything.
  @Test func powerLossInEveryCall() throws {
    var callCount = 0
    var before = 0
    var after = 0
    while true {
      let folder = try Folder()
      let store = try store()
      let copies = try DurableCopies(of: store, in: folder.copies)
      for number in 1...3 as ClosedRange<UInt64> {
        try change(store, to: number)
        try copies.commit()
      }
      try change(store, to: 4)
      let limit = callCount
      let made = Mutex(0)
      var isComplete = false
      do {
        try SystemCalls.$interceptor.withValue(
          SystemCallInterceptor { call in
            guard [.pwrite, .fsync, .ftruncate].contains(call) else { return nil }
            return made.withLock { count in
              count += 1
              return count > limit ? .ioError : nil
            }
          }
        ) { try copies.commit() }
        isComplete = true
      } catch let error as DurableCopiesError {
        #expect(error == .system(.ioError))
      }
      _ = consume copies
      // Commit 4 writes copy 0. Commit 3, copy 1, is the valid one until the record of commit 4 is written.
      if !isComplete {
        let garbage = (0..<8192).map { UInt8(truncatingIfNeeded: $0 &* 31 + 7) }
        try withCombination("calls", limit) {
          let number = try restored(folder)
          if number == 3 {
            before += 1
            try folder.overwrite("copy-0", at: 4096, with: garbage)
            try folder.overwrite("commits", at: 8, with: [9])
            #expect(try restored(folder) == 3)
          } else {
            // Only the wait for the record failed.
            #expect(number == 4)
            after += 1
          }
        }
      } else {
        #expect(try restored(folder) == 4)
        // A damaged record is ignored, and the commit before it is restored.
        try folder.overwrite("commits", at: 17, with: [77])
        #expect(try restored(folder) == 3)
        break
      }
      callCount += 1
    }
    #expect(before > 2 && after > 0)
  }

  /// A commit that failed is continued.
  @Test func commitAfterAFailure() throws {
    let folder = try Folder()
    let store = try store()
    let copies = try DurableCopies(of: store, in: folder.copies)
    try change(store, to: 1)
    #expect(throws: DurableCopiesError.system(.noSpace)) {
      try SystemCalls.$interceptor.withValue(
        SystemCallInterceptor { $0 == .fsync ? .noSpace : nil }
      ) {
        try copies.commit()
      }
    }
    #expect(try copies.commit().number == 1)
    _ = consume copies
    #expect(try restored(folder) == 1)
  }

  @Test func threadsShareCommits() throws {
    let folder = try Folder()
    let store = try store()
    let total = try store.counter("total")
    let copies = try DurableCopies(of: store, in: folder.copies)
    let failures = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: 8) { _ in
      for _ in 0..<5 {
        do {
          try total.add(1)
          try copies.commit()
        } catch {
          failures.add(1, ordering: .relaxed)
        }
      }
    }
    #expect(failures.load(ordering: .relaxed) == 0)
    let last = try copies.commit()
    #expect(last.number <= 41)
    _ = consume copies
    let path = folder.path.appending("restored")
    #expect(try DurableCopies.restore(from: folder.copies, to: path) == last.number)
    #expect(try PersistentStore.open(path).counter("total").value == 40)
  }

  @Test func refusals() throws {
    let folder = try Folder()
    let target = folder.path.appending("restored")
    #expect(throws: DurableCopiesError.noCopy) {
      try DurableCopies.restore(from: folder.copies, to: target)
    }
    let store = try store()
    let copies = try DurableCopies(of: store, in: folder.copies)
    #expect(throws: DurableCopiesError.inUse) {
      try DurableCopies.restore(from: folder.copies, to: target)
    }
    _ = consume copies
    #expect(throws: DurableCopiesError.noCopy) {
      try DurableCopies.restore(from: folder.copies, to: target)
    }
    // A link in the place of a copy is not followed.
    try FileManager.default.removeItem(atPath: folder.copies.appending("copy-0").string)
    try FileManager.default.createSymbolicLink(
      atPath: folder.copies.appending("copy-0").string, withDestinationPath: target.string)
    #expect(throws: DurableCopiesError.system(.tooManySymbolicLinkLevels)) {
      _ = try DurableCopies(of: store, in: folder.copies)
    }
    for error in [
      DurableCopiesError.otherStore, .inUse, .changing, .noCopy, .unknownLayout(2),
      .system(.noSpace),
    ] { #expect(!error.description.isEmpty) }
  }
}
