import Foundation
import HandoverTestSupport
import Platform
import SystemPackage
import Testing

@testable import ProcessHandover

@Suite(.namesCombination) struct WriterLockTests {
  private let folder: TemporaryFolder
  private let path: FilePath

  init() throws {
    folder = try TemporaryFolder()
    path = folder.path.appending("memory")
    try MemoryFile.create(.path(path), byteCount: 4096).publish()
  }

  private static let command = (try? String(contentsOfFile: "/proc/self/comm", encoding: .utf8))?
    .trimmingCharacters(in: .newlines)

  private var ownHolder: LockHolder {
    LockHolder(processID: getpid(), command: Self.command)
  }

  @Test func onlyOneAtATime() throws {
    for file in [try MemoryFile.open(path), try MemoryFile.create(.memfd(name: "l"), byteCount: 1)]
    {
      let twin = try MemoryFile.adopt(file.withDescriptor { try $0.duplicate() })
      do {
        let lock = try WriterLock.acquire(of: file)
        #expect(lock.descriptor != file.withDescriptor { $0 })
        for other in [file, twin] {
          #expect(throws: WriterLockError.held(by: ownHolder)) {
            _ = try WriterLock.acquire(of: other)
          }
        }
        lock.release()
      }
      // Copies of the file's descriptor hold nothing.
      try WriterLock.acquire(of: twin).release()
      try WriterLock.acquire(of: file).release()
    }
  }

  @Test func whoHoldsItIsNamed() throws {
    let file = try MemoryFile.open(path)
    let child = try HelperProcess("lock", path.string)
    #expect(try child.readLine() == "locked")
    let holder = LockHolder(processID: child.processID, command: "ProcessHandover")
    #expect(throws: WriterLockError.held(by: holder)) { _ = try WriterLock.acquire(of: file) }
    child.kill()
    try WriterLock.acquire(of: file).release()
  }

  @Test func aHolderThatCannotBeFound() throws {
    // Some file systems show another device in the list of locks; that of a memfd does not.
    let file = try MemoryFile.create(.memfd(name: "held"), byteCount: 1)
    let lock = try WriterLock.acquire(of: file)
    // Without a look at descriptors, the list of locks says who took it.
    CallWatcher(failing: .readDirectory).watch {
      #expect(throws: WriterLockError.held(by: ownHolder)) { _ = try WriterLock.acquire(of: file) }
    }
    CallWatcher(failing: .read).watch {
      #expect(throws: WriterLockError.held(by: nil)) { _ = try WriterLock.acquire(of: file) }
    }
    lock.release()
  }

  @Test func isInheritedInADescriptor() throws {
    let file = try MemoryFile.open(path)
    let lock = try WriterLock.acquire(of: file)
    let copy = try lock.keepAcrossExec().duplicate()
    #expect(try !SystemCalls.isClosedOnExec(lock.descriptor))
    do {
      let inherited = try WriterLock.inherit(copy, of: file)
      #expect(try SystemCalls.isClosedOnExec(inherited.descriptor))
      _ = consume lock
      #expect(throws: WriterLockError.held(by: ownHolder)) { _ = try WriterLock.acquire(of: file) }
      inherited.release()
    }
    try WriterLock.acquire(of: file).release()
  }

  @Test func descriptorsThatHoldNothing() throws {
    let file = try MemoryFile.open(path)
    #expect(throws: WriterLockError.notHeld) {
      _ = try WriterLock.inherit(FileDescriptor.open(path, .readWrite), of: file)
    }
    let other = try folder.write([1], to: "other")
    #expect(throws: WriterLockError.foreignDescriptor) {
      _ = try WriterLock.inherit(FileDescriptor.open(other, .readWrite), of: file)
    }
    #expect(throws: WriterLockError.cannotInspect(.badFileDescriptor)) {
      _ = try WriterLock.inherit(FileDescriptor(rawValue: -1), of: file)
    }
    #expect(try descriptorCount(of: folder.name) == 1)
  }

  @Test func everyCallFails() throws {
    let file = try MemoryFile.open(path)
    let cases: [(SystemCall, WriterLockError)] = [
      (.open, .cannotOpen(.ioError)), (.flock, .cannotLock(.ioError)),
      (.fstat, .cannotInspect(.ioError)), (.setDescriptorFlags, .cannotInspect(.ioError)),
      (.stat, .notHeld), (.read, .notHeld),
    ]
    for (call, error) in cases {
      try withCombination("call", call) {
        let lock = try WriterLock.acquire(of: file)
        let copy = try lock.descriptor.duplicate()
        lock.release()
        let acquires = call == .open || call == .flock
        CallWatcher(failing: call).watch {
          if acquires {
            #expect(throws: error) { _ = try WriterLock.acquire(of: file) }
            try? copy.close()
          } else {
            #expect(throws: error) { _ = try WriterLock.inherit(copy, of: file) }
          }
        }
        #expect(try descriptorCount(of: folder.name) == 1)
        try WriterLock.acquire(of: file).release()
      }
    }
  }

  @Test func isGoneWithItsLastDescriptor() throws {
    let file = try MemoryFile.open(path)
    let before = try descriptorCount(of: folder.name)
    let copy: FileDescriptor
    do {
      let lock = try WriterLock.acquire(of: file)
      copy = try lock.descriptor.duplicate()
    }
    #expect(try descriptorCount(of: folder.name) == before + 1)
    #expect(throws: WriterLockError.held(by: ownHolder)) { _ = try WriterLock.acquire(of: file) }
    try WriterLock.inherit(copy, of: file).release()
    try WriterLock.acquire(of: file).release()
    #expect(try descriptorCount(of: folder.name) == before)
  }

  @Test func linesOfLocks() throws {
    let line = try #require(LockLine(" 3: FLOCK  ADVISORY  WRITE 359 fe:0a:11691 0 EOF"))
    #expect(line.processID == 359 && line.inode == 11691)
    #expect(line.device == DeviceNumbers(major: 0xfe, minor: 10))
    let identity = FileIdentity(device: 0xfe0a, inode: 11691)
    #expect(identity.deviceNumbers == line.device && line.mayBe(identity))
    for other in [
      "", "3:", "3: -> FLOCK  ADVISORY  WRITE 359 fe:0a:11691 0 EOF",
      "3: FLOCK  ADVISORY  READ 359 fe:0a:11691 0 EOF",
      "3: POSIX  ADVISORY  WRITE 359 fe:0a:11691 0 EOF",
      "3: FLOCK  ADVISORY  WRITE x fe:0a:11691 0 EOF",
      "3: FLOCK  ADVISORY  WRITE 359 fe:0a 0 EOF",
      "3: FLOCK  ADVISORY  WRITE 359 fe:zz:1 0 EOF",
      "3: FLOCK  ADVISORY  WRITE 359 fe:0a:99999999999999999999 0 EOF",
    ] as [Substring] {
      #expect(LockLine(other) == nil, "\(other)")
    }
  }
}
