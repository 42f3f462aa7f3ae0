internal import CacheCore
internal import Logging
internal import MemoryAccess
internal import NIOCore
internal import NIOPosix
internal import ProcessHandover
internal import RESP

// SAVE, for a memory file on a disk. A file on tmpfs is not written to a disk: what was acknowledged is
// in the file already, and survives the process, and the cache answers by itself.

extension Engine {
  /// Waits until all of the file is on its disk.
  func save() {
    guard !facts.isSaving else { return reply.error("ERR Background save already in progress") }
    guard let file = memoryFile else { return reply.error("ERR this server has no memory file") }
    do throws(MemoryFileError) {
      try Self.write(file)
      noteSave(nil)
      reply.ok()
    } catch {
      noteSave(error)
      reply.error("ERR the memory file was not saved: \(error)")
    }
  }

  /// `BGSAVE [SCHEDULE]`: the same on another thread.
  func saveInBackground(_ request: borrowing Request) {
    guard request.count == 1 || (request.count == 2 && request[1].isWord("schedule")) else {
      return reply.error("ERR syntax error")
    }
    guard !facts.isSaving else { return reply.error("ERR Background save already in progress") }
    guard let file = memoryFile else { return reply.error("ERR this server has no memory file") }
    facts.isSaving = true
    reply.simple("Background saving started")
    NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) { try Self.write(file) }
      .whenComplete { result in
        switch result {
        case .success: self.locked { self.noteSave(nil) }
        case .failure(let error):
          self.locked { self.noteSave(error) }
          self.logger.error("the memory file was not saved: \(sentence(of: error))")
        }
      }
  }

  private func noteSave(_ error: (any Error)?) {
    facts.isSaving = false
    facts.hasSaveFailed = error != nil
    if error == nil { facts.saveTime = cache?.now ?? facts.saveTime }
  }

  private static func write(_ file: MemoryFile) throws(MemoryFileError) {
    try file.synchronize(PhysicalRange(start: .zero, byteCount: file.byteCount))
  }
}
