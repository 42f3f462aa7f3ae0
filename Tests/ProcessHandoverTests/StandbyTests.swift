import Foundation
import HandoverTestSupport
import Platform
import Synchronization
import SystemPackage
import Testing

@testable import ProcessHandover

/// ``PreservedMemory/awaitRelease(of:)``.
@Suite(.namesCombination) struct StandbyTests {
  private let folder: TemporaryFolder
  private let path: FilePath

  init() throws {
    folder = try TemporaryFolder()
    path = folder.path.appending("memory")
  }

  @Test func freeMemoryIsNotWaitedFor() throws {
    try PreservedMemory.awaitRelease(of: path)
    do { _ = try PreservedMemory(creating: .path(path)) }
    try PreservedMemory.awaitRelease(of: path)
    // The wait keeps no lock.
    let memory = try PreservedMemory.open(path)
    #expect(memory.origin != .created)
  }

  @Test func memoryOfAProcessThatIsKilledIsFree() async throws {
    try MemoryFile.create(.path(path), byteCount: 4096).publish()
    let holder = try HelperProcess("lock", path.string)
    #expect(try holder.readLine() == "locked")
    let standby = Standby(for: path)
    await standby.waits(for: try SystemCalls.status(at: path).identity)
    #expect(!standby.hasReturned)
    holder.kill()
    try await standby.result()
    try WriterLock.acquire(of: MemoryFile.open(path)).release()
  }

  @Test func aHandoverDoesNotEndTheWait() async throws {
    try MemoryFile.create(.path(path), byteCount: 4096).publish()
    let file = try MemoryFile.open(path)
    let lock = try WriterLock.acquire(of: file)
    let copy = try lock.keepAcrossExec().duplicate()
    let standby = Standby(for: path)
    await standby.waits(for: file.identity)
    let inherited = try WriterLock.inherit(copy, of: file)
    _ = consume lock
    await standby.waits(for: file.identity)
    #expect(!standby.hasReturned)
    inherited.release()
    try await standby.result()
  }

  @Test func neitherDoesOneOverAChannel() async throws {
    let memory = try PreservedMemory.open(path)
    let identity = memory.file.identity
    let standby = Standby(for: path)
    await standby.waits(for: identity)
    let (near, far) = try DescriptorChannel.pair()
    var giver = try DescriptorChannel.adopt(near)
    let taker = try DescriptorChannel.adopt(far)
    // What the other end says, before it is asked: that it has the lock.
    try taker.acknowledge(PreservedMemory.lockCode)
    try memory.handOver(to: &giver)
    var received = try taker.receive()
    #expect(try taker.awaitAcknowledgement() == 0)
    let sent = try PreservedMemory.inheritedFile(
      &received, growableTo: PreservedMemory.standardCapacity)
    let file = try #require(sent)
    let lock = try PreservedMemory.inheritedLock(&received, of: file)
    await standby.waits(for: identity)
    #expect(!standby.hasReturned)
    lock.release()
    try await standby.result()
  }

  @Test func aFileThatIsReplacedIsWaitedForAgain() async throws {
    try MemoryFile.create(.path(path), byteCount: 4096).publish()
    let old = try MemoryFile.open(path)
    let oldLock = try WriterLock.acquire(of: old)
    let standby = Standby(for: path)
    await standby.waits(for: old.identity)
    try SystemCalls.unlink(path)
    try MemoryFile.create(.path(path), byteCount: 4096).publish()
    let new = try MemoryFile.open(path)
    let newLock = try WriterLock.acquire(of: new)
    oldLock.release()
    await standby.waits(for: new.identity)
    #expect(!standby.hasReturned)
    newLock.release()
    try await standby.result()
  }

  @Test func whatIsNoMemoryIsRefused() throws {
    #expect(throws: PreservedMemoryError.file(.isDirectory)) {
      try PreservedMemory.awaitRelease(of: folder.path)
    }
    #expect(throws: PreservedMemoryError.file(.notRegularFile)) {
      try PreservedMemory.awaitRelease(of: "/dev/null")
    }
    try MemoryFile.create(.path(path), byteCount: 4096).publish()
    CallWatcher(failing: .flock).watch {
      #expect(throws: PreservedMemoryError.self) { try PreservedMemory.awaitRelease(of: path) }
    }
  }
}

/// A thread that waits for memory.
private final class Standby: Sendable {
  private let task: Task<Void, any Error>
  private let returned = Atomic(false)

  var hasReturned: Bool { returned.load(ordering: .acquiring) }

  init(for path: FilePath) {
    let (results, continuation) = AsyncThrowingStream.makeStream(of: Void.self)
    task = Task { for try await _ in results {} }
    Thread.detachNewThread { [self] in
      do {
        try PreservedMemory.awaitRelease(of: path)
        returned.store(true, ordering: .releasing)
        continuation.finish()
      } catch {
        continuation.finish(throwing: error)
      }
    }
  }

  /// Returns once the kernel lists it as waiting for the lock of `file`.
  func waits(for file: FileIdentity) async {
    while !hasReturned {
      let isListed = SystemCalls.text(of: "/proc/locks", atMost: 1 << 20).split(separator: "\n")
        .contains { line in
          let fields = line.split(whereSeparator: \.isWhitespace)
          return fields.contains("->") && fields.contains { $0.hasSuffix(":\(file.inode)") }
        }
      if isListed { return }
      await Task.yield()
    }
  }

  func result() async throws { try await task.value }
}
