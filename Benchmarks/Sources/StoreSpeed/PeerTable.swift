import Foundation

/// Time and memory of each peer, one after the other.
enum PeerTable {
  static func run(_ entryCount: UInt64) throws {
    let folder = try SpeedFolder()
    show(
      """
      \(entryCount) entries of 8 bytes under keys of 8 bytes, one thread, ns of processor time each; load \(load())

      | | put | get | scan | bytes of memory an entry |
      |---|--:|--:|--:|--:|
      """)
    try measure(StoreMapPeer.self, folder, entryCount)
    try measure(DictionaryPeer.self, folder, entryCount)
    try measure(RedisPeer.self, folder, entryCount)
    try measure(OrderedMapPeer.self, folder, entryCount)
    try measure(LMDBPeer.self, folder, entryCount)
    try measure(RocksDBPeer.self, folder, entryCount)
    try measure(SQLitePeer.self, folder, entryCount, path: ":memory:")
  }

  private static func measure<P: Peer>(
    _ type: P.Type, _ folder: SpeedFolder, _ count: UInt64, path: String? = nil
  ) throws {
    if let reason = P.reasonForAbsence { return show("| \(P.name) | left out: \(reason) | | | |") }
    let path = path ?? folder.path + "/peer"
    defer { folder.removeContents() }
    var peer = try P(path: path, isNew: true)
    func measured(_ body: () throws -> Void) rethrows -> Double {
      let start = processTime() + peer.outsideTime()
      try body()
      return processTime() + peer.outsideTime() - start
    }
    let put = try measured {
      for number in 0..<count { try peer.put(key(number), number) }
      try peer.commit()
    }
    // In an order that has nothing to do with that of the puts.
    var wanted: UInt64 = 0
    let step = count % 7919 == 0 ? 7907 : 7919 as UInt64
    let order = (0..<count).map { _ in
      wanted = (wanted + step) % count
      return wanted
    }
    let get = try measured { try peer.compare(order) }
    var found: UInt64 = 0
    let scan = try measured { found = try peer.scan() }
    // A scan of Redis may show a key twice.
    guard found >= count else { throw PeerFailure(reason: "\(P.name): \(found) entries") }
    let bytes = peer.byteCount().map { String(format: "%.0f", Double($0) / Double(count)) }
    let times = [put, get, scan].map { String(format: "%.0f", $0 / Double(count)) }
    show("| \(P.name) | \(times.joined(separator: " | ")) | \(bytes ?? "-") |")
  }
}

/// A folder on tmpfs that is removed at the end.
final class SpeedFolder {
  let path = "/dev/shm/store-speed-\(getpid())"

  init() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func removeContents() {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
      try? FileManager.default.removeItem(atPath: "\(path)/\(name)")
    }
  }
}

/// How many threads wanted a processor in the last minute.
func load() -> String {
  var loads = [0.0]
  return getloadavg(&loads, 1) == 1 ? String(format: "%.1f", loads[0]) : "unknown"
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
