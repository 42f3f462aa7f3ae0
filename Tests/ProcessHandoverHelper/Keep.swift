import ProcessHandover
import SystemPackage

/// Takes the lock of the memory file at `path`, starts a keeper, says which process it is, and goes on
/// as the test orders: stops the keeper, or waits to be killed.
func keep(_ path: FilePath) throws {
  let file = try MemoryFile.open(path)
  let lock = try WriterLock.acquire(of: file)
  let keeper: Int32
  do { keeper = try MemoryKeeper.start() } catch {
    return say(error == .notSupported ? "not supported" : "\(error)")
  }
  // A second time it is the same.
  guard try MemoryKeeper.start() == keeper, MemoryKeeper.processID == keeper else {
    return say("another one")
  }
  say("\(keeper)")
  _ = readLine()
  MemoryKeeper.stop()
  say(MemoryKeeper.processID == nil ? "stopped" : "not stopped")
  _ = readLine()
  _ = consume lock
}
