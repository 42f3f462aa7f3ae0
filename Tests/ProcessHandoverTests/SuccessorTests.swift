import Foundation
import HandoverTestSupport
import Platform
import SystemPackage
import Testing

@testable import ProcessHandover

@Suite(.namesCombination) struct SuccessorTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The process starts itself anew three times, and each adds to the memory that all have.
  @Test(arguments: ["memfd", "path"]) func execKeepsMemoryAndLock(_ place: String) throws {
    let run = try ProcessRun(helper: "exec", place, folder.path.string)
    #expect(
      run.output == """
        generation 0 in the same process: true
        generation 1 in the same process: true, sum 1, lock kept, variable gone, signals open
        generation 2 in the same process: true, sum 3, lock kept, variable gone, signals open
        generation 3 in the same process: true, sum 6, lock kept, variable gone, signals open

        """, "\(run.errors)")
    #expect(run.status == 0)
  }

  @Test func aChildGetsWhatIsPassed() throws {
    let run = try ProcessRun(helper: "spawn", folder.path.string)
    #expect(
      run.output == "child has memory, second; value 7, lock kept\nparent ends the child: 0\n",
      "\(run.errors)")
    #expect(run.status == 0)
  }

  /// The program has nine more descriptors without close-on-exec, and passes two.
  @Test(arguments: ["exec", "spawn"], ["range", "list"])
  func exactlyWhatIsPassedArrives(_ way: String, _ kernel: String) throws {
    let run = try ProcessRun(helper: "careless", way, folder.path.string, kernel)
    #expect(run.output == "third far: careless-3, 900 careless-1\n", "\(run.errors)")
    #expect(run.status == 0)
  }

  /// A thread that waits in readLine() holds the lock of standard input, and one that waits in print()
  /// that of standard output.
  @Test(.timeLimit(.minutes(1)), arguments: ["input", "both"])
  func execDoesNotWaitForStreams(_ streams: String) throws {
    let helper = try HelperProcess("exec-beside-reader", streams)
    #expect(try helper.readLine() == "executed")
    #expect(helper.wait() == 0)
  }

  @Test func aForkedChildTakesNothingFromItsParent() throws {
    let run = try ProcessRun(helper: "fork", folder.path.string)
    #expect(run.output == "locks kept: true, files kept: true\n", "\(run.errors)")
    #expect(run.status == 0)
  }

  @Test func whatCannotBeExecutedChangesNothing() throws {
    let file = try MemoryFile.create(.path(folder.path.appending("memory")), byteCount: 4096)
    let lock = try WriterLock.acquire(of: file)
    let open = try FileDescriptor.open(folder.path, .readOnly)
    defer { try? open.close() }
    var successor = Successor(folder.path.appending("none"), environment: ["A": "B"])
    successor.pass(file)
    successor.pass(lock)
    successor.pass(NamedDescriptor("folder", open))
    let careless = try FileDescriptor.open(folder.path, .readOnly)
    defer { try? careless.close() }
    func flags() throws -> [Bool] {
      try (successor.passed.map(\.descriptor) + [careless]).map {
        try SystemCalls.isClosedOnExec($0)
      }
    }
    try #require(try flags() == [true, true, false, false])
    #expect(throws: SuccessorError.cannotExecute(.noSuchFileOrDirectory)) { try successor.exec() }
    #expect(throws: SuccessorError.cannotSpawn(.noSuchFileOrDirectory)) { try successor.spawn() }
    for call in [SystemCall.fstat, .getDescriptorFlags, .setDescriptorFlags, .execve] {
      // After the third time, FD_CLOEXEC is set again, which cannot fail for an open descriptor.
      for occurrence in 1...3 {
        let watcher = CallWatcher(failing: call, at: occurrence)
        watcher.watch {
          #expect(throws: SuccessorError.self, "\(call)") { try successor.exec() }
        }
        try #require(try flags() == [true, true, false, false], "\(call) \(occurrence)")
      }
    }
    #expect(
      try CallWatcher(failing: .spawn).watch {
        #expect(throws: SuccessorError.cannotSpawn(.ioError)) { try successor.spawn() }
        return try flags()
      } == [true, true, false, false])
    #expect(SystemCalls.environmentValue(SuccessorVariable.name) == nil)
    lock.release()
  }

  @Test func whatIsInheritedIsLookedAt() throws {
    let path = try folder.write([1], to: "memory")
    func opened() throws -> SuccessorVariable.Entry {
      let descriptor = try FileDescriptor.open(path, .readWrite)
      return .init(
        name: "n\(descriptor.rawValue)", number: descriptor.rawValue,
        identity: try SystemCalls.status(of: descriptor).identity)
    }
    let good = [try opened(), try opened()]
    do {
      var received = try Successor.received(SuccessorVariable(good))
      #expect(received.names == good.map(\.name))
      #expect(received.count == 2)
      let taken = received.take(good[0].name)
      let takenTwice = received.take(good[0].name)
      let first = try #require(taken)
      #expect(first.rawValue == good[0].number && takenTwice == nil)
      #expect(received.names == [good[1].name])
      #expect(try SystemCalls.isClosedOnExec(first))
      try first.close()
    }
    #expect(try descriptorCount(of: folder.name) == 0)

    let gone = SuccessorVariable.Entry(
      name: "gone", number: .max, identity: FileIdentity(device: 1, inode: 1))
    let real = try opened()
    #expect(throws: SuccessorError.missingDescriptor(name: "gone", .badFileDescriptor)) {
      _ = try Successor.received(SuccessorVariable([gone, real]))
    }
    #expect(try descriptorCount(of: folder.name) == 0)

    let other = try opened()
    let foreign = SuccessorVariable.Entry(
      name: "foreign", number: other.number, identity: FileIdentity(device: 1, inode: 1))
    #expect(throws: SuccessorError.foreignDescriptor(name: "foreign")) {
      _ = try Successor.received(SuccessorVariable([foreign]))
    }
    // It may belong to another process.
    #expect(try descriptorCount(of: folder.name) == 1)
    try FileDescriptor(rawValue: other.number).close()
    for call in [SystemCall.fstat, .setDescriptorFlags] {
      let entry = try opened()
      CallWatcher(failing: call).watch {
        #expect(throws: SuccessorError.missingDescriptor(name: entry.name, .ioError)) {
          _ = try Successor.received(SuccessorVariable([entry]))
        }
      }
      if call == .fstat { try FileDescriptor(rawValue: entry.number).close() }
      #expect(try descriptorCount(of: folder.name) == 0)
    }
  }
}
