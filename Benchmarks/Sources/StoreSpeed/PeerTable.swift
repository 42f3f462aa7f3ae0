import Foundation
import Measuring

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
    func time(_ body: () throws -> Void) rethrows -> Double {
      let start = processTime() + peer.outsideTime()
      try body()
      return processTime() + peer.outsideTime() - start
    }
    let put = try time {
      for number in 0..<count { try peer.put(key(number), number) }
      try peer.commit()
    }
    // In another order than the puts.
    var wanted: UInt64 = 0
    let step = count % 7919 == 0 ? 7907 : 7919 as UInt64
    let order = (0..<count).map { _ in
      wanted = (wanted + step) % count
      return wanted
    }
    let get = try time { try peer.compare(order) }
    var found: UInt64 = 0
    let scan = try time { found = try peer.scan() }
    // A scan of Redis may show a key twice.
    guard found >= count else {
      throw PeerFailure(reason: "\(P.name): the scan found \(found) of \(count) entries")
    }
    let bytes = peer.byteCount().map { String(format: "%.0f", Double($0) / Double(count)) }
    let times = [put, get, scan].map { String(format: "%.0f", $0 / Double(count)) }
    show("| \(P.name) | \(times.joined(separator: " | ")) | \(bytes ?? "-") |")
  }
}
