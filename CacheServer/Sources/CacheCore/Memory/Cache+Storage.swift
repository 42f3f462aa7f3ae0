internal import PersistentCollections
internal import ProcessHandover

// Memory that entries have left: moved together, and given back to the system.

extension Cache {
  /// The bytes that the file takes of its file system.
  public var storedByteCount: UInt64 { map.memory.file.storedByteCount ?? map.memory.byteCount }

  /// The bytes that the entries may take: what `maxmemory` says, and what the container allows.
  var byteLimit: UInt64 { settings.byteLimit(inContainerOf: containerByteLimit) }

  /// Does a little of what keeps memory usable: entries of slabs that are hardly in use move together, and
  /// storage that is free goes back to the file system if it is much.
  public mutating func tidyMemory() {
    guard now &- min(tidyTime, now) >= (tidyFoundNothing ? 5000 : 0) else { return }
    tidyTime = now
    var stepCount = 0
    while stepCount < 4, (try? map.tidy()) == true { stepCount += 1 }
    tidyFoundNothing = stepCount == 0
    guard tidyFoundNothing else { return }
    let used = map.storageByteCount
    let stored = storedByteCount
    if stored > used, stored - used > max(32 << 20, used / 8) { _ = try? map.memory.trim() }
  }

  /// `MEMORY PURGE`: moves together what can be, and gives all storage back that is free.
  ///
  /// - Parameter isTimeOver: asked between two steps, each of which moves 2 MiB at most.
  mutating func purgeMemory(until isTimeOver: () -> Bool) throws(CommandError) {
    do throws(PersistentCollectionError) {
      while !isTimeOver(), try map.makeRoom(forByteCount: 1) {}
      while !isTimeOver(), try map.makeRoom(forByteCount: 1 << 20) {}
    } catch {
      throw .collection(error)
    }
    giveStorageBack()
  }

  /// Gives the storage of free memory back to the file system, as far as that can be done.
  mutating func giveStorageBack() { _ = try? map.memory.trim() }
}
