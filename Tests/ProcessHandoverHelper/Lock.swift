import ProcessHandover
import SystemPackage

/// Takes the lock of the memory file at `path`, says so, and holds it until its input ends.
func lock(_ path: FilePath) throws {
  let file = try MemoryFile.open(path)
  let lock = try WriterLock.acquire(of: file)
  say("locked")
  _ = readLine()
  _ = consume lock
}

/// Prints a line at once, through a pipe too.
func say(_ line: String) {
  _ = try? FileDescriptor.standardOutput.writeAll(Array((line + "\n").utf8))
}
