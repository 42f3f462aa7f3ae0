import Foundation
import MemoryAccess
import ProcessHandover
import SystemPackage

/// Where the helper keeps numbers in its memory.
private let process = PhysicalAddress(0)
private let generation = PhysicalAddress(8)
private let sum = PhysicalAddress(16)

extension MemoryFile {
  func load(_ address: PhysicalAddress) -> UInt64 {
    withWords(at: address, count: 1) { $0.load(0) }
  }

  func store(_ value: UInt64, at address: PhysicalAddress) {
    withWords(at: address, count: 1) { $0.publish(value, at: 0) }
  }
}

/// Makes memory, and becomes its own successor.
func startGenerations(_ place: String, _ folder: FilePath) throws {
  let file = try MemoryFile.create(
    place == "memfd" ? .memfd(name: "generations") : .path(folder.appending("memory")),
    byteCount: 4096)
  try file.publish()
  let lock = try WriterLock.acquire(of: file)
  file.store(UInt64(getpid()), at: process)
  try goOn(file, lock)
}

/// What every successor does: it takes over, checks, adds its number, and goes on until the third.
func inheritGeneration() throws {
  guard var received = try Successor.inherited(), let memory = received.take("memory"),
    let held = received.take("lock")
  else { fatalError("nothing inherited") }
  let file = try MemoryFile.adopt(memory)
  let lock = try WriterLock.inherit(held, of: file)
  let number = file.load(generation) + 1
  file.store(number, at: generation)
  file.store(file.load(sum) + number, at: sum)
  try goOn(file, lock)
}

private func goOn(_ file: MemoryFile, _ lock: consuming WriterLock) throws {
  let number = file.load(generation)
  var line = "generation \(number) in the same process: \(file.load(process) == UInt64(getpid()))"
  if number > 0 {
    line += ", sum \(file.load(sum))" + (isLockKept(of: file) ? ", lock kept" : "")
    if ProcessInfo.processInfo.environment["KHO_HANDOVER"] == nil { line += ", variable gone" }
    if try blockedSignals() == 0 { line += ", signals open" }
  }
  // Through a buffer, which must not be lost.
  print(line)
  guard number < 3 else { return }
  // As a thread of Dispatch has it.
  var all = sigset_t()
  unsafe sigfillset(&all)
  unsafe pthread_sigmask(SIG_BLOCK, &all, nil)
  var successor = Successor(ownPath, arguments: ["inherit"])
  successor.pass(file)
  successor.pass(lock)
  try successor.exec()
}

private func isLockKept(of file: MemoryFile) -> Bool {
  do throws(WriterLockError) {
    try WriterLock.acquire(of: file).release()
    return false
  } catch {
    // One pattern for all of it makes the optimizer of Swift 6.3.1 fail.
    guard case .held(let holder) = error else { return false }
    return holder?.processID == getpid()
  }
}

/// The mask of this thread, proc(5).
private func blockedSignals() throws -> UInt64? {
  try String(contentsOfFile: "/proc/thread-self/status", encoding: .utf8)
    .split(separator: "\n").first { $0.hasPrefix("SigBlk:") }
    .flatMap { UInt64($0.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16) }
}

/// This program.
var ownPath: FilePath {
  FilePath(URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().path)
}

/// Starts a child that takes the memory and the lock over.
func startChild(_ folder: FilePath) throws {
  let file = try MemoryFile.create(.path(folder.appending("memory")), byteCount: 4096)
  let lock = try WriterLock.acquire(of: file)
  file.store(7, at: sum)
  var successor = Successor(
    ownPath, arguments: ["child"], environment: ProcessInfo.processInfo.environment)
  successor.pass(file)
  successor.pass(lock)
  let second = try FileDescriptor.open(folder, .readOnly)
  successor.pass(NamedDescriptor("second", second))
  let child = try successor.spawn()
  // The child has the lock even when this process has let go of it.
  drop(lock)
  var status: CInt = -1
  guard unsafe waitpid(child, &status, 0) == child else { fatalError("no child") }
  say("parent ends the child: \(status)")
}

private func drop(_ lock: consuming WriterLock) {}

/// The child of `startChild`.
func inheritInChild() throws {
  guard var received = try Successor.inherited(), let memory = received.take("memory"),
    let held = received.take("lock")
  else { fatalError("nothing inherited") }
  let file = try MemoryFile.adopt(memory)
  let lock = try WriterLock.inherit(held, of: file)
  let kept = isLockHeld(of: file) ? "lock kept" : "lock lost"
  say("child has memory, \(received.names.joined()); value \(file.load(sum)), \(kept)")
  _ = consume lock
}

private func isLockHeld(of file: MemoryFile) -> Bool {
  do {
    try WriterLock.acquire(of: file).release()
    return false
  } catch {
    return true
  }
}
