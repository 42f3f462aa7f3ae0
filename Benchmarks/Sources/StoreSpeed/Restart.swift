import Foundation
import Measuring

/// How long a new process takes to its first entry, after the process that stored the entries was killed.
enum Restart {
  /// The peers by their names on the command line.
  private static var peers: [(kind: String, peer: any Peer.Type)] {
    [
      ("map", StoreMapPeer.self), ("ordered", OrderedMapPeer.self),
      ("dictionary", DictionaryPeer.self), ("lmdb", LMDBPeer.self),
      ("rocksdb", RocksDBPeer.self), ("sqlite", SQLitePeer.self),
    ]
  }

  private static func peer(_ kind: String) throws -> any Peer.Type {
    guard let found = peers.first(where: { $0.kind == kind }) else {
      let kinds = peers.map(\.kind).joined(separator: ", ")
      throw PeerFailure(
        reason: "the benchmark does not know a peer named \(kind); the names are \(kinds)")
    }
    return found.peer
  }

  static func run(_ entryCount: UInt64) throws {
    let folder = try SpeedFolder()
    show(
      """
      \(entryCount) entries: opening and the first get of a new process after kill -9, median of 5 \
      (fastest to slowest); load \(load())

      | | ms | |
      |---|--:|--:|
      """)
    for (kind, peer) in peers {
      if let reason = peer.reasonForAbsence {
        show("| \(peer.name) | left out: \(reason) | |")
      } else {
        report(peer.name, try times(of: kind, folder, entryCount))
      }
      folder.removeContents()
    }
    if let reason = RedisPeer.reasonForAbsence {
      show("| Redis | left out: \(reason) | |")
    } else {
      report("Redis, from the start of the server", try timesOfRedis(folder, entryCount))
    }
  }

  private static func report(_ name: String, _ times: [Double]) {
    let times = times.sorted().map { String(format: "%.3f", $0 / 1e6) }
    show("| \(name) | \(times[times.count / 2]) | \(times[0])–\(times[times.count - 1]) |")
  }

  private static func times(
    of kind: String, _ folder: SpeedFolder, _ count: UInt64
  ) throws -> [Double] {
    let path = folder.path + "/peer"
    let filler = try start(["fill", kind, path, "\(count)"])
    guard try filler.output.read(upToCount: 7) == Data("filled\n".utf8) else {
      throw PeerFailure(reason: "\(kind): the process that fills it did not print \"filled\"")
    }
    kill(filler.process.processIdentifier, SIGKILL)
    filler.process.waitUntilExit()
    return try (0..<5).map { _ in
      let first = try start(["first", kind, path])
      let output = try first.output.readToEnd() ?? Data()
      first.process.waitUntilExit()
      let text = String(decoding: output, as: UTF8.self)
      guard let time = Double(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
        throw PeerFailure(reason: "\(kind): the entry was not found")
      }
      return time
    }
  }

  private static func start(
    _ arguments: [String]
  ) throws -> (process: Process, output: FileHandle) {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = arguments
    process.standardOutput = output
    try process.run()
    return (process, output.fileHandleForReading)
  }

  private static func timesOfRedis(_ folder: SpeedFolder, _ count: UInt64) throws -> [Double] {
    let path = folder.path + "/redis"
    do {
      let redis = try RedisPeer(path: path, isNew: true)
      for number in 0..<count { try redis.put(key(number), number) }
      try redis.commit()
      try redis.save()
    }
    return try (0..<5).map { _ in
      var value: UInt64?
      let time = try nanoseconds {
        let redis = try RedisPeer(path: path, isNew: false)
        value = try redis.firstValue(key(7))
      }
      guard value == 7 else { throw PeerFailure(reason: "Redis: the entry was not found") }
      return time
    }
  }

  // MARK: In the processes that are started

  static func fill(_ kind: String, _ path: String, _ count: UInt64) throws {
    var peer = try peer(kind).init(path: path, isNew: true)
    for number in 0..<count { try peer.put(key(number), number) }
    try peer.commit()
    if let dictionary = peer as? DictionaryPeer { try dictionary.save() }
    show("filled")
    withExtendedLifetime(peer) { _ = pause() }
  }

  static func first(_ kind: String, _ path: String) throws {
    var value: UInt64?
    var opened: (any Peer)?
    let time = try nanoseconds {
      opened = try peer(kind).init(path: path, isNew: false)
      value = try opened?.get(key(7))
    }
    guard value == 7 else { throw PeerFailure(reason: "\(kind): the entry is missing") }
    show("\(time)")
    // The process flushes and closes nothing: the next one opens the peer as a kill leaves it.
    withExtendedLifetime(opened) { _exit(0) }
  }
}
