import PersistentCollections
import Platform
import SystemPackage

/// Changes a store until the process is killed: two maps that have the same entries, a log of numbers in order,
/// a counter of transactions.
func changeStore(_ path: FilePath) throws {
  let store = try PersistentStore.open(path, byteCount: 1 << 20)
  let left = try store.map("left", of: (UInt64.self, [UInt8].self))
  let right = try store.orderedMap("right", of: (UInt64.self, [UInt8].self))
  let log = try store.log("log", of: UInt64.self)
  let counter = try store.counter("counter")
  var number = UInt64(try counter.value)
  while true {
    number += 1
    let key = number &* 0x9e37_79b9_7f4a_7c15 >> 58
    try store.transaction {
      if number % 5 == 0 {
        try left.remove(key)
        try right.remove(key)
      } else {
        // Some values have memory of their own, and all grow and shrink.
        let byteCount = number % 64 == 0 ? 40_000 : Int(number % 700)
        let value = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: byteCount)
        try left.set(value, for: key)
        try right.set(value, for: key)
      }
      try log.append(number * 3)
      if number % 64 == 0 { try log.removeEntries(before: number - 50) }
      try counter.add()
    }
    if number == 100 { say("changing") }
    // The pause of a service between two requests.
    usleep(2000)
    if number % 4096 == 0 {
      // Begins anew, with another log.
      try store.removeCollection("log")
      _ = store.close()
      return try changeStore(path)
    }
  }
}
