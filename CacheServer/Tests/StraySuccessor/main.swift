import KexecHandover

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

// A program that an upgrade starts by mistake: it knows how a handover begins, and does not end it.
// What it does is what the environment variable STRAY says.

func waitForever() -> Never { while true { pause() } }

let channelName = "cache-channel"
// SAFETY: no thread changes the environment; the string is copied.
let wish = unsafe getenv("STRAY").map { unsafe String(cString: $0) } ?? ""
guard var descriptors = try Successor.inherited() else { exit(9) }
guard let socket = descriptors.take(channelName) else { exit(9) }
var channel = try DescriptorChannel.adopt(socket)
switch wish {
case "hang": waitForever()
case "exit": exit(4)
case "unwilling":
  try channel.acknowledge(1)
  waitForever()
case "exit when ready":
  try channel.acknowledge()
  exit(5)
case "refuse":
  try channel.acknowledge()
  // The clients, and then the memory.
  var received = try channel.receive()
  while received.take(PreservedMemory.memoryName) == nil { received = try channel.receive() }
  try channel.acknowledge(6)
  waitForever()
case "take and exit":
  try channel.acknowledge()
  // The clients.
  _ = try channel.receive()
  let memory = try PreservedMemory.receive(from: &channel, &descriptors)
  print("generation", memory.generation)
  exit(7)
case "take and hang":
  try channel.acknowledge()
  // The clients.
  _ = try channel.receive()
  _ = try PreservedMemory.receive(from: &channel, &descriptors)
  waitForever()
default: exit(8)
}
