import KexecHandover

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

// The first run makes the file. Every later one finds in it what the runs before it left, however
// they ended.
let arguments = CommandLine.arguments
var memory = try PreservedMemory.open(.init(arguments.count > 1 ? arguments[1] : "/dev/shm/runs"))
let runs = try memory.value(named: "runs", initially: 0 as UInt64)
let table = try memory.region(named: "table") ?? memory.makeRegion(named: "table", byteCount: 4096)

// Each run writes a row, and then counts it. A run that is killed in between leaves no half of a row.
let row = memory.load(runs)
memory.withWords(of: table) { $0.publish(UInt64(getpid()), at: Int(row % 512)) }
memory.store(row + 1, to: runs)

print("run", row + 1, "of this memory, handed on", memory.generation, "times")
memory.withWords(of: table) { words in
  for earlier in (row < 4 ? 0 : row - 4)...row {
    print("run", earlier + 1, "was process", words.load(Int(earlier % 512)))
  }
}
if arguments.last == "crash" {
  print("killed, as by kill -9")
  fflush(nil)
  kill(getpid(), SIGKILL)
}
