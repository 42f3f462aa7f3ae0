import KexecHandover
import NIOCore
import NIOPosix
import PersistentCollections
import SystemPackage
import UnixSignals

// What the predecessor passed on; or what it has left in the file, however it ended.
var given = try Successor.inherited() ?? ReceivedDescriptors()
let counter = Counter(
  try .open(PreservedMemory.inherited(&given) ?? PreservedMemory.open("/dev/shm/visits")))
// After kill -9, the next start need not wait until the kernel has taken the memory apart.
try MemoryKeeper.start()

let bootstrap = DatagramBootstrap(group: .singletonMultiThreadedEventLoopGroup)
  .channelInitializer { $0.pipeline.addHandler(counter) }
let socket =
  if let passed = given.take("socket") {
    try await bootstrap.withBoundSocket(passed.rawValue).get()
  } else {
    try await bootstrap.bind(host: "127.0.0.1", port: 8125).get()
  }

// The next version, or the program now at that path, goes on with memory and socket.
for await _ in await UnixSignalsSequence(trapping: .sigusr2) {
  try await socket.eventLoop.submit {
    var program = Successor(FilePath(CommandLine.arguments[0]))
    program.pass(NamedDescriptor("socket", try socket.descriptor()))
    let memory = counter.visits.take()!.close()
    do { try memory.exec(program) } catch { print("not started anew: \(error)") }
    counter.visits = try .some(.open(memory))
  }.get()
}
