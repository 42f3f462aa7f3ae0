import Foundation
import MemoryAccess
import Platform
import ProcessHandover
import SystemPackage

// Preserved memory as it goes from process to process. Each process says what it found, and waits for
// a line of input.

/// What it makes: a file that takes long to unmap if all of it were used.
private let byteCount: UInt64 = 96 << 20

private func newMemory(_ folder: FilePath?) throws -> PreservedMemory {
  var memory = try PreservedMemory(
    creating: folder.map { .path($0.appending("memory")) } ?? .memfd(name: "preserved"),
    byteCount: byteCount)
  _ = try memory.value(named: "count", initially: 1 as UInt64)
  try memory.makeRegion(named: "text", byteCount: 20_000) {
    for offset in 0..<20_000 {
      $0.storeBytes(of: UInt8(offset % 251), toByteOffset: offset, as: UInt8.self)
    }
  }
  return memory
}

/// Adds to the memory, and says what was found.
private func use(_ memory: inout PreservedMemory, _ more: String = "") throws {
  let count = try memory.value(named: "count", initially: 0 as UInt64)
  memory.store(memory.load(count) + 1, to: count)
  var isKept = false
  if let text = try memory.region(named: "text") {
    isKept = memory.withBytes(of: text) { bytes in
      bytes.byteCount == 20_000
        && (0..<20_000).allSatisfy {
          // SAFETY: inside the bytes, and every byte is a value.
          unsafe bytes.unsafeLoad(fromUncheckedByteOffset: $0, as: UInt8.self) == UInt8($0 % 251)
        }
    }
  }
  say(
    "generation \(memory.generation): count \(memory.load(count)), text \(isKept ? "kept" : "lost")"
      + more)
}

/// Waits for a line of input, and takes no byte more of it: the rest is the successor's.
private func awaitLine() {
  var byte: [UInt8] = [0]
  while byte[0] != 10,
    // SAFETY: lent for the length of the call.
    (try? unsafe byte.withUnsafeMutableBytes {
      try unsafe FileDescriptor.standardInput.read(into: $0)
    }) == 1
  {}
}

private let ownProgram = FilePath(
  URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().path)

// MARK: exec and children

/// Becomes its own successor, and passes on a socket that a client has connected to already.
func preserveAndExec(_ folder: FilePath) throws {
  var memory = try newMemory(folder)
  try use(&memory)
  awaitLine()
  let (listener, client) = try listenerWithClient()
  try client.writeAll(Array("hello".utf8))
  var none = Successor("/nowhere/at/all")
  none.pass(NamedDescriptor("listener", listener))
  // As usable as before.
  do { try memory.exec(none) } catch { try use(&memory, ", still here") }
  var successor = Successor(ownProgram, arguments: ["preserved-inherit"])
  successor.pass(NamedDescriptor("listener", listener))
  try memory.exec(successor)
}

/// Takes over what was passed on; ends when the test orders it.
func inheritPreserved() throws {
  guard var received = try Successor.inherited(),
    var memory = try PreservedMemory.inherited(&received)
  else { fatalError("nothing inherited") }
  try use(&memory, try received.take("listener").map { ", " + (try heard(at: $0)) } ?? "")
  awaitLine()
  drop(memory)
}

/// Gives the memory to a child, and waits for its end.
func preserveAndSpawn(_ folder: FilePath) throws {
  var memory = try newMemory(folder)
  try use(&memory)
  awaitLine()
  let child = try memory.handOver(
    toChild: Successor(ownProgram, arguments: ["preserved-inherit"]))
  var status: CInt = -1
  // SAFETY: fills the value that it is given.
  guard unsafe waitpid(child, &status, 0) == child else { fatalError("no child") }
  var again = try PreservedMemory.open(folder.appending("memory"))
  try use(&again, ", child ended with \(status)")
}

/// Named where the lock must have lasted until then: what is not used any more may be gone at once.
private func drop(_ memory: consuming PreservedMemory) {}

/// A socket that listens, and another that is connected to it and closed by execve(2).
private func listenerWithClient() throws -> (FileDescriptor, FileDescriptor) {
  let type = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
  let listener = socket(AF_INET, type, 0)
  let client = socket(AF_INET, type, 0)
  var address = sockaddr()
  var byteCount = socklen_t(MemoryLayout<sockaddr>.size)
  // SAFETY: an address of the internet is as long as the structure, which outlives the calls.
  guard listen(listener, 4) == 0, unsafe getsockname(listener, &address, &byteCount) == 0,
    unsafe connect(client, &address, byteCount) == 0
  else { throw Errno(rawValue: errno) }
  return (FileDescriptor(rawValue: listener), FileDescriptor(rawValue: client))
}

/// What the first who connected to `listener` wrote.
private func heard(at listener: FileDescriptor) throws -> String {
  let connection = FileDescriptor(rawValue: accept(listener.rawValue, nil, nil))
  var bytes = [UInt8](repeating: 0, count: 100)
  // SAFETY: lent for the length of the call.
  let count = try unsafe bytes.withUnsafeMutableBytes { try unsafe connection.read(into: $0) }
  return String(decoding: bytes[..<count], as: UTF8.self)
}

// MARK: Channels and the service manager

/// Gives the memory to the process that connects, and prints whether it is gone.
func preserveAndGive(_ place: String, _ folder: FilePath) throws {
  var memory = try newMemory(place == "memfd" ? nil : folder)
  let file = memory.file
  let listener = try DescriptorListener(at: .path(folder.appending("channel")))
  try use(&memory)
  var channel = try listener.accept()
  do {
    let folderDescriptor = try FileDescriptor.open(folder, .readOnly)
    try memory.handOver(to: &channel, with: [NamedDescriptor("folder", folderDescriptor)])
    say("given")
  } catch {
    say("\(error)")
  }
  awaitLine()
  do {
    var again = try PreservedMemory(adopting: file)
    try use(&again, ", taken back")
  } catch PreservedMemoryError.heldByAnother(.held) {
    say("held by another")
  }
}

/// Has the service manager keep the memory, and waits to be killed.
func preserveAndStore() throws {
  guard let manager = try ServiceManager.current() else { fatalError("no manager") }
  var memory = try newMemory(nil)
  try memory.store(with: manager)
  try use(&memory, ", stored")
  awaitLine()
  drop(memory)
}

/// Goes on with what the service manager kept.
func takeStored() throws {
  var received = try ServiceManager.receivedDescriptors(removingVariables: true)
  guard var memory = try PreservedMemory.stored(in: &received) else { fatalError("none stored") }
  try use(&memory, ", stored before")
  awaitLine()
  drop(memory)
}

// MARK: Crashes

/// Changes the memory at `path` for as long as it lives.
func changeForever(_ path: FilePath) throws {
  var memory = try PreservedMemory.open(path, byteCount: byteCount)
  let count = try memory.value(named: "count", initially: 0 as UInt64)
  say("generation \(memory.generation): count \(memory.load(count))")
  let first = memory.load(count)
  var number = first
  while true {
    if number == first + 1 { say("changed") }
    number += 1
    // A row of blocks, and a region that says how many there were.
    let block = try memory.allocate(PageOrder(Int(number % 4)))
    let size = 1 + number % 9000
    if try memory.region(named: "row") == nil {
      try memory.makeRegion(named: "row", byteCount: size)
    } else {
      try memory.replaceRegion(named: "row", byteCount: size)
    }
    try memory.free(block)
    memory.store(number, to: count)
  }
}
