import KexecHandover
import PersistentCollections
import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

// Counts its own starts, and goes on through upgrades: the store and the socket stay the same. The memory file is the
// first argument. This program upgrades to itself twice; a service does so when it gets a signal.
let path = FilePath(CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : "/dev/shm/starts")

// What the predecessor passed on; or what it has left in the file, however it ended.
var given = try Successor.inherited() ?? ReceivedDescriptors()
let store = try PersistentStore(PreservedMemory.inherited(&given) ?? PreservedMemory.open(path))
let socket = try given.take("socket") ?? openSocket()
// After kill -9, the next start need not wait until the kernel has unmapped the memory.
_ = try? MemoryKeeper.start()

let starts = try store.orderedMap("starts", of: (UInt64.self, String.self))
let count = try store.counter("count")

/// Becomes `program`, which goes on with the store and the socket. Returns only if that program cannot be started.
func upgrade(to program: FilePath) {
  var successor = Successor(program, arguments: Array(CommandLine.arguments.dropFirst()))
  successor.pass(NamedDescriptor("socket", socket))
  do { try store.exec(successor) } catch { print("not upgraded:", error) }
}

try store.transaction {
  let number = try UInt64(count.add())
  try starts.set("socket \(socket.rawValue)", for: number)
}
for (number, text) in starts.entries { print("start", number, "had", text) }

// The first upgrade fails, and the store is as usable as before.
let last = try count.value
upgrade(to: "/does/not/exist")
guard try count.value == last else { fatalError("the store has changed") }
if last < 3 { upgrade(to: "/proc/self/exe") }

/// A UNIX socket; a service binds it, and listens.
func openSocket() throws -> FileDescriptor {
  #if canImport(Glibc)
    let number = Glibc.socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0)
  #else
    let number = Musl.socket(AF_UNIX, SOCK_DGRAM, 0)
  #endif
  guard number >= 0 else { throw Errno(rawValue: errno) }
  return FileDescriptor(rawValue: number)
}
