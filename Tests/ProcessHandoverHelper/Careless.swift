import Foundation
import Platform
import ProcessHandover
import SystemPackage

// A program that opens descriptors without close-on-exec, as much code does.

/// Opens descriptors in `folder` carelessly, and passes two of them on.
///
/// - Parameters:
///   - way: "exec" or "spawn".
///   - hasCloseRange: whether close_range(2) may be used.
func passCarelessly(_ way: String, _ folder: FilePath, hasCloseRange: Bool) throws {
  var opened: [FileDescriptor] = []
  for number in 0..<8 {
    opened.append(
      try FileDescriptor.open(
        folder.appending("careless-\(number)"), .readWrite, options: .create,
        permissions: .ownerReadWrite))
  }
  // Gaps, and numbers far from the others.
  try opened.remove(at: 5).close()
  opened.append(FileDescriptor(rawValue: dup2(opened[0].rawValue, 700)))
  opened.append(FileDescriptor(rawValue: dup2(opened[1].rawValue, 900)))
  _ = dup2(opened[1].rawValue, 901)
  let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  guard socket >= 0 else { fatalError("no socket") }
  var program = Successor(ownPath, arguments: ["careless-list"])
  program.pass(NamedDescriptor("third", opened[3]))
  program.pass(NamedDescriptor("far", opened[8]))
  try SystemCalls.$interceptor.withValue(
    SystemCallInterceptor {
      hasCloseRange || $0 != .closeRange ? nil : .noFunction
    }
  ) {
    if way == "exec" { try program.exec() }
    let end = ChildProcess(try program.spawn()).wait()
    guard end == .exited(0) else { fatalError("\(end)") }
    // Here they stay as they were.
    for descriptor in opened where try SystemCalls.isClosedOnExec(descriptor) {
      fatalError("\(descriptor) is closed on exec")
    }
  }
}

/// What is open in the successor, apart from the standard streams.
func listDescriptors() throws {
  guard let received = try Successor.inherited() else { fatalError("nothing inherited") }
  let open = try SystemCalls.names(in: "/proc/self/fd").compactMap { Int32($0) }.sorted()
    .filter { $0 > 2 && fcntl($0, F_GETFD) >= 0 }
    .map { number in
      let target = try SystemCalls.target(ofLink: FilePath("/proc/self/fd/\(number)"))
      return "\(number > 100 ? "\(number) " : "")\(target?.lastComponent?.string ?? "nothing")"
    }
  say("\(received.names.joined(separator: " ")): \(open.joined(separator: ", "))")
}

/// Becomes another program while a thread holds the locks of standard input and, where wanted, of
/// standard output, as one that waits in readLine() or in print() does.
func execBesideReader(holdsOutput: Bool) throws {
  let isLocked = DispatchSemaphore(value: 0)
  Thread.detachNewThread {
    lockStream("stdin")
    if holdsOutput { lockStream("stdout") }
    isLocked.signal()
    _ = readLine()
  }
  isLocked.wait()
  try Successor("/bin/echo", arguments: ["executed"]).exec()
}

/// flockfile(3) of a stream of the C library, whose variables Swift does not let a thread use.
private func lockStream(_ name: String) {
  typealias Stream = UnsafeMutablePointer<FILE>
  guard let symbol = unsafe dlsym(nil, name) else { fatalError("no \(name)") }
  unsafe flockfile(symbol.load(as: Stream.self))
}

/// Forks, and lets the child give up and drop everything that its parent has; the parent says whether
/// it has it still.
func fork(in folder: FilePath) throws {
  // Swift does not let fork(2) be called by its name.
  guard let symbol = unsafe dlsym(nil, "fork") else { fatalError("no fork") }
  let fork = unsafe unsafeBitCast(symbol, to: (@convention(c) () -> Int32).self)
  let path = folder.appending("memory")
  let memory = try PreservedMemory.open(path)
  let other = try MemoryFile.create(.path(folder.appending("other")), byteCount: 4096)
  let lock = try WriterLock.acquire(of: other)
  let socket = folder.appending("socket")
  let listener = try DescriptorListener(at: .path(socket))
  let unpublished = try SystemCalls.$interceptor.withValue(
    SystemCallInterceptor {
      $0 == .openUnnamed ? .notSupported : nil
    }
  ) {
    try MemoryFile.create(.path(folder.appending("late")), byteCount: 4096)
  }
  let names = try SystemCalls.names(in: folder).sorted()
  let child = fork()
  if child == 0 {
    dropAll(memory, lock, listener, unpublished)
    exit(0)
  }
  guard ChildProcess(child).wait() == .exited(0) else { fatalError("the child failed") }
  let isKept = [try MemoryFile.open(path), other].allSatisfy { file in
    if case .failure(.held) = Result(catching: { () throws(WriterLockError) in
      try WriterLock.acquire(of: file).release()
    }) {
      return true
    }
    return false
  }
  let isWhole = try SystemCalls.names(in: folder).sorted() == names
  say("locks kept: \(isKept), files kept: \(isWhole)")
  dropAll(memory, lock, listener, unpublished)
}

private func dropAll(
  _ memory: consuming PreservedMemory, _ lock: consuming WriterLock,
  _ listener: consuming DescriptorListener, _ file: consuming MemoryFile
) {
  lock.release()
}
