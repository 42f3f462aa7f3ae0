import Foundation
import HandoverTestSupport
import MemoryAccess
import Platform
import SystemPackage
import Testing

@testable import ProcessHandover

/// Limits that the system sets, and files that may not change: an error, and nothing lost.
@Suite(.namesCombination) struct MemoryFileLimitTests {
  /// Both grow the file; the second takes in what the first made, all of it mapped.
  @Test func twoOpenersGrow() throws {
    let folder = try TemporaryFolder()
    let path = folder.path.appending("memory")
    let first = try MemoryFile.create(.path(path), byteCount: 4096, growableTo: 64 << 20)
    try first.publish()
    let second = try MemoryFile.open(path, growableTo: 32 << 20)
    try first.grow(to: 16 << 20)
    first.store(7, at: 16 << 20 - 8)
    try second.grow(to: 1 << 20)
    #expect(second.byteCount == 16 << 20)
    // Would be SIGSEGV where it is not mapped.
    #expect(second.load(16 << 20 - 8) == 7)
    try first.grow(to: 64 << 20)
    try second.grow(to: 20 << 20)
    #expect(second.byteCount == 32 << 20 && second.load(32 << 20 - 8) == 0)
    #expect(try path.stat().size == 64 << 20)
  }

  /// A successor backs what its predecessor backed: chunks with all their storage cost a look each, others
  /// are allocated.
  @Test func storageThatAPredecessorLeft() throws {
    let folder = try TemporaryFolder(in: "/dev/shm")
    let path = folder.path.appending("memory")
    let predecessor = try MemoryFile.create(.path(path), byteCount: 8 << 20)
    try predecessor.publish()
    try predecessor.back(range(0, 8 << 20))
    try predecessor.release(range(4096, 4096))
    let knowsPages = predecessor.withDescriptor {
      (try? SystemCalls.cachedPageCount($0, 2 << 20..<4 << 20)) == 512
    }
    let successor = try MemoryFile.open(path)
    let watcher = CallWatcher()
    try watcher.watch { try successor.back(range(2 << 20, 6 << 20)) }
    if knowsPages { #expect(watcher[.fallocate] == 0 && watcher[.open] == 0) }
    try watcher.watch { try successor.back(range(0, 4 << 20)) }
    #expect(watcher[.fallocate] == (knowsPages ? 1 : 4))
    #expect(successor.storedByteCount == 8 << 20)
    // Linux before 6.5, or a filter of system calls.
    for error in [Errno.noFunction, .notPermitted] {
      let third = try MemoryFile.open(path)
      let watcher = CallWatcher(failing: .cachestat, with: error)
      try watcher.watch { try third.back(range(0, 8 << 20)) }
      #expect(watcher[.fallocate] == 4)
    }
  }

  /// What a file does that Live Update preserves: resizing and fallocate(2) fail with EPERM.
  @Test func aFrozenFile() throws {
    let file = try MemoryFile.create(
      .memfd(name: "frozen"), byteCount: 4 << 20, growableTo: 8 << 20)
    try file.back(range(0, 2 << 20))
    for word in stride(from: 0, to: 2 << 20, by: 4096) { file.store(1, at: UInt64(word)) }
    CallWatcher(failing: [
      .ftruncate: .notPermitted, .fallocate: .notPermitted, .punchHole: .notPermitted,
    ]).watch {
      #expect(throws: MemoryFileError.frozen) { try file.grow(to: 8 << 20) }
      #expect(throws: MemoryFileError.frozen) { try file.release(range(0, 4096)) }
      // A hole is not known to have storage.
      #expect(throws: MemoryFileError.frozen) { try file.back(range(2 << 20, 4096)) }
      // What is stored stays.
      #expect(throws: Never.self) { try file.back(range(0, 2 << 20)) }
    }
    #expect(file.byteCount == 4 << 20 && file.load(4096) == 1)
    try file.grow(to: 8 << 20)
  }

  @Test func theLimitOnFileSizes() throws {
    let file = try MemoryFile.create(.memfd(name: "limited"), byteCount: 4096, growableTo: 1 << 30)
    CallWatcher(failing: .ftruncate, with: .fileTooLarge).watch {
      let error = MemoryFileError.cannotResize(byteCount: 1 << 20, .fileTooLarge)
      #expect(throws: error) { try file.grow(to: 1 << 20) }
      #expect("\(error)".contains("ulimit -f"))
    }
    // In a shell that sets it, the helper's memory is refused and the process lives on.
    let folder = try TemporaryFolder()
    let run = try ProcessRun(
      "/bin/sh",
      ["-c", "ulimit -f 1024 && exec \"$1\" fill \"$2\"", "sh", helperPath, folder.path.string])
    #expect(run.errors.contains("cannotResize") || run.errors.contains("ulimit -f"))
    #expect(folder.names == [])
  }

  /// A sandbox that does not know memfd_create(2), or forbids it.
  @Test func withoutMemfds() throws {
    for error in [Errno.noFunction, .notPermitted] {
      CallWatcher(failing: .memfdCreate, with: error).watch {
        #expect(throws: MemoryFileError.cannotCreate(error)) {
          try MemoryFile.create(.memfd(name: "none"), byteCount: 4096)
        }
      }
      #expect("\(MemoryFileError.cannotCreate(error))".contains("memfd_create(2)"))
    }
  }

  /// The same in a process whose calls of memfd_create(2) the kernel refuses: seccomp(2).
  @Test(
    .enabled(
      if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3"), "no python3 here"))
  func aSandboxWithoutMemfds() throws {
    // Loads the number of the call, and returns the error for that of memfd_create.
    let script = """
      import ctypes, os, struct, sys
      call = {"x86_64": 319, "aarch64": 279}[os.uname().machine]
      steps = [(0x20, 0, 0, 0), (0x15, 0, 1, call),
               (0x06, 0, 0, 0x50000 | int(sys.argv[1])), (0x06, 0, 0, 0x7fff0000)]
      code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
      class Program(ctypes.Structure):
        _fields_ = [("count", ctypes.c_ushort), ("steps", ctypes.c_void_p)]
      program = Program(len(steps), ctypes.addressof(code))
      libc = ctypes.CDLL(None)
      assert libc.prctl(38, 1, 0, 0, 0) == 0
      assert libc.prctl(22, 2, ctypes.byref(program)) == 0
      os.execv(sys.argv[2], sys.argv[2:])
      """
    for error in [Errno.notPermitted, .noFunction] {
      let folder = try TemporaryFolder()
      let run = try ProcessRun(
        "/usr/bin/python3",
        ["-c", script, "\(error.rawValue)", helperPath, "memfd", folder.path.string])
      try #require(run.status == 0, "\(run.errors)")
      #expect(run.output.contains("refused: ") && run.output.contains("memfd_create(2)"))
      #expect(run.output.hasSuffix("kept: [\"kept\"]\n"), "\(run.output)")
      #expect(folder.names == ["memory"])
    }
  }

  @Test func whatAKernelUpdateKeeps() throws {
    let noexec = SystemCalls.text(of: "/proc/sys/vm/memfd_noexec", atMost: 8)
    let memfd = try MemoryFile.create(.memfd(name: "kept"), byteCount: 4096)
    #expect(memfd.kernelUpdate == (noexec.hasPrefix("2") ? .readOnly : .kept))
    for parent in TemporaryFolder.parents {
      let folder = try TemporaryFolder(in: parent)
      let path = folder.path.appending("memory")
      let file = try MemoryFile.create(.path(path), byteCount: 4096)
      try file.publish()
      guard file.storage == .tmpfs else {
        #expect(file.kernelUpdate == .notNeeded)
        continue
      }
      #expect(file.kernelUpdate == .lost)
      try SystemCalls.unlink(path)
      #expect(file.kernelUpdate == .kept)
    }
  }

  /// A holder that is stopped holds the lock: an error at once, which names it.
  @Test(.timeLimit(.minutes(1))) func aStoppedHolder() throws {
    let folder = try TemporaryFolder()
    let path = folder.path.appending("memory")
    try MemoryFile.create(.path(path), byteCount: 1 << 20).publish()
    let holder = try HelperProcess("lock", path.string)
    #expect(try holder.readLine() == "locked")
    SystemCalls.signal(holder.processID, SIGSTOP)
    defer { SystemCalls.signal(holder.processID, SIGCONT) }
    do throws(PreservedMemoryError) {
      _ = try PreservedMemory.open(path)
      Issue.record("the lock was not held")
    } catch {
      guard case .heldByAnother(.held(let found?)) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(found.processID == holder.processID)
    }
  }

  /// What a refused allocation took of the file system is given back.
  @Test(
    .enabled(if: FullFileSystemTests.canMount, "unshare(1) may not make a mount namespace here"))
  func aRefusedAllocationTakesNothing() throws {
    let folder = try TemporaryFolder()
    let script = "mount -t tmpfs -o size=32m,huge=never none \"$2\" && exec \"$1\" refused \"$2\""
    let run = try ProcessRun(
      "/usr/bin/unshare", ["-Urm", "sh", "-c", script, "sh", helperPath, folder.path.string])
    #expect(
      run.output == "refused: outOfSpace, taken: less than 1 MiB, then: 16 MiB\n", "\(run.errors)")
  }
}
