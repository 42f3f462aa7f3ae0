import HandoverTestSupport
import MemoryAccess
import Platform
import SystemPackage
import Testing

@testable import ProcessHandover

/// Every system call of every operation fails once: an error or a sound result, and nothing is
/// left.
@Suite(.namesCombination) struct MemoryFileFailureTests {
  /// What a scenario does in a folder of its own, and the calls whose failure it reports.
  private struct Scenario: Sendable {
    let name: String
    let reported: Set<SystemCall>
    let run: @Sendable (TemporaryFolder) throws -> Void
  }

  private static let scenarios = [
    Scenario(
      name: "memfd",
      reported: [.memfdCreate, .sealShrink, .fstatfs, .ftruncate, .fstat, .reserveAddresses, .mmap]
    ) { folder in
      _ = try MemoryFile.create(
        .memfd(name: folder.name), byteCount: 4096)
    },
    Scenario(
      name: "path",
      reported: [
        .stat, .openUnnamed, .fstatfs, .ftruncate, .fstat, .reserveAddresses, .mmap, .link, .fsync,
        .open,
      ]
    ) { folder in
      let path = folder.path.appending("memory")
      let file = try MemoryFile.create(.path(path), byteCount: 4096)
      do {
        try file.publish()
      } catch {
        // The name may be there, and only its way to the disk have failed.
        if file.path != nil { try SystemCalls.unlink(path) }
        throw error
      }
      try SystemCalls.unlink(path)
    },
    Scenario(name: "open", reported: [.open, .fstat, .fstatfs, .reserveAddresses, .mmap]) {
      folder in
      let file = try MemoryFile.open(try folder.write([1, 2, 3], to: "memory"))
      #expect(file.bytes(in: file.range) == [1, 2, 3])
    },
    Scenario(
      name: "adopt",
      reported: [.fstat, .getAccessMode, .setDescriptorFlags, .fstatfs, .reserveAddresses, .mmap]
    ) { folder in
      let path = try folder.write([1, 2, 3], to: "memory")
      let file = try MemoryFile.adopt(FileDescriptor.open(path, .readWrite))
      #expect(file.bytes(in: file.range) == [1, 2, 3])
    },
    Scenario(
      name: "use",
      reported: [
        .memfdCreate, .sealShrink, .fstatfs, .ftruncate, .fstat, .reserveAddresses, .mmap,
        .fallocate, .punchHole,
        .msync,
      ]
    ) { folder in
      let file = try MemoryFile.create(
        .memfd(name: folder.name), byteCount: 4096, growableTo: 8 << 20)
      do {
        try file.grow(to: 4 << 20)
      } catch {
        #expect(file.byteCount == 4096)
        try SystemCalls.$interceptor.withValue(nil) { try file.grow(to: 4 << 20) }
        #expect(file.load(4 << 20 - 8) == 0)
        throw error
      }
      try file.back(range(0, 4 << 20))
      try file.release(range(0, 4096))
      try file.synchronize(range(0, 4096))
    },
  ]

  @Test func everyCallFails() throws {
    for scenario in Self.scenarios {
      try withCombination("scenario", scenario.name) {
        var reported: Set<SystemCall> = []
        for call in SystemCall.allCases where call != .close && call != .munmap {
          var occurrence = 1
          while try failOnce(call, at: occurrence, in: scenario, &reported) { occurrence += 1 }
        }
        // On tmpfs there is nothing to wait for.
        let folder = try TemporaryFolder()
        let file = try MemoryFile.create(.path(folder.path.appending("memory")), byteCount: 1)
        let isDurable = scenario.name != "path" || file.storage == .disk
        #expect(reported == scenario.reported.subtracting(isDurable ? [] : [.fsync, .open]))
      }
    }
  }

  /// Whether the call came to that occurrence.
  private func failOnce(
    _ call: SystemCall, at occurrence: Int, in scenario: Scenario,
    _ reported: inout Set<SystemCall>
  ) throws -> Bool {
    let folder = try TemporaryFolder()
    let watcher = CallWatcher(failing: call, at: occurrence)
    try withCombination("call", "\(call) \(occurrence)") {
      do {
        try watcher.watch { try scenario.run(folder) }
      } catch is MemoryFileError {
        reported.insert(call)
        try #require(watcher.hasFailed)
      } catch is Errno where call == .unlink {
      }
      let left = folder.names.filter { $0 != "memory" }
      try #require(left == [])
      try #require(try descriptorCount(of: folder.name) == 0)
      try #require(watcher[.munmap] == watcher[.reserveAddresses])
    }
    return watcher.hasFailed
  }

  @Test func interruptedCallsAreMadeAgain() throws {
    for call in [SystemCall.fallocate, .ftruncate, .mmap, .memfdCreate, .fstat] {
      let watcher = CallWatcher(failing: call, with: .interrupted, at: 1)
      try watcher.watch {
        let file = try MemoryFile.create(.memfd(name: "again"), byteCount: 4096)
        try file.back(range(0, 4096))
      }
      #expect(watcher.hasFailed, "\(call)")
    }
  }

  @Test func withoutFilesWithoutNames() throws {
    for error in [Errno.notSupported, .isDirectory, .invalidArgument] {
      let folder = try TemporaryFolder()
      let path = folder.path.appending("memory")
      try CallWatcher(failing: .openUnnamed, with: error).watch {
        do {
          let dropped = try MemoryFile.create(.path(path), byteCount: 4096)
          #expect(folder.names.count == 1 && dropped.path == nil)
        }
        #expect(folder.names == [])
        let file = try MemoryFile.create(.path(path), byteCount: 4096)
        let late = try MemoryFile.create(.path(path), byteCount: 4096)
        try file.publish()
        #expect(throws: MemoryFileError.alreadyExists) { try late.publish() }
        _ = consume late
        #expect(folder.names == ["memory"])
      }
      for call in [SystemCall.ftruncate, .fstat, .mmap, .fstatfs] {
        let other = try TemporaryFolder()
        SystemCalls.$interceptor.withValue(
          SystemCallInterceptor {
            $0 == .openUnnamed ? error : $0 == call ? .ioError : nil
          }
        ) {
          #expect(throws: MemoryFileError.self) {
            try MemoryFile.create(.path(other.path.appending("memory")), byteCount: 4096)
          }
        }
        #expect(other.names == [], "\(call)")
      }
    }
  }

  @Test func withoutFallocate() throws {
    for parent in TemporaryFolder.parents {
      let folder = try TemporaryFolder(in: parent)
      let file = try MemoryFile.create(
        .path(folder.path.appending("memory")), byteCount: 6 << 20)
      file.store(5, at: 3 << 20)
      file.store(6, at: 0)
      let watcher = CallWatcher(failing: .fallocate, with: .notSupported)
      try watcher.watch { try file.back(range(0, 5 << 20)) }
      #expect(file.storedRange(atOrAfter: .zero) == range(0, 6 << 20), "\(parent)")
      #expect(file.load(3 << 20) == 5 && file.load(0) == 6)
      // Backed before: nothing to ask.
      try watcher.watch { try file.back(range(1 << 20, 5 << 20)) }
      #expect(watcher[.fallocate] == 0 && watcher[.pwrite] > 0)
    }
  }

  @Test func backedOnce() throws {
    let watcher = CallWatcher()
    try watcher.watch {
      let file = try MemoryFile.create(.memfd(name: "once"), byteCount: 64 << 20)
      let knowsPages = file.withDescriptor { (try? SystemCalls.cachedPageCount($0, 0..<1)) != nil }
      for _ in 0..<3 {
        try file.back(range(0, 64 << 20))
        try file.back(range(5, 1))
      }
      #expect(watcher[.fallocate] == 32)
      // A byte becomes zero, and its page stays.
      try file.release(range(2 << 20, 1))
      try file.back(range(0, 64 << 20))
      #expect(watcher[.fallocate] == (knowsPages ? 32 : 33))
      try file.release(range(2 << 20, 4096))
      try file.back(range(0, 64 << 20))
      #expect(watcher[.fallocate] == (knowsPages ? 33 : 34))
    }
  }

  @Test func noRoom() throws {
    let file = try MemoryFile.create(.memfd(name: "full"), byteCount: 8 << 20)
    for error in [Errno.noSpace, .diskQuotaExceeded] {
      CallWatcher(failing: .fallocate, with: error).watch {
        #expect(throws: MemoryFileError.outOfSpace) { try file.back(range(0, 4 << 20)) }
      }
    }
    CallWatcher(failing: .fallocate, with: .noMemory).watch {
      #expect(throws: MemoryFileError.cannotBack(.noMemory)) { try file.back(range(0, 1)) }
    }
    // Not for the whole chunk, but for the page that is wanted; and it is asked about again.
    let watcher = CallWatcher(failing: .fallocate, with: .noSpace, at: 1)
    try watcher.watch {
      try file.back(range(8191, 1))
      try file.back(range(0, 4096))
    }
    #expect(watcher[.fallocate] == 2)
  }
}
