internal import TrialSupport

/// The memory that a key takes in each server, for values of several sizes.
struct PeerMemory {
  /// The bytes to store for each size.
  let payload: Int
  let kinds: [TrialServer.Kind]

  func run(in workshop: Workshop) throws {
    var table = Report.Table(
      "bytes that an entry takes, over those of its key and value; empty servers subtracted",
      [("VALUE", "value_bytes"), ("ENTRIES", "entries")]
        + kinds.map { ($0.rawValue.uppercased(), $0.rawValue) })
    for size in MemoryBySize.sizes {
      workshop.progress("memory of values of \(size) bytes")
      let keyByteCount = Dialect.key(0).count
      let count = max(100, min(payload / (size + keyByteCount), 500_000))
      var cells: [Report.Cell] = [.count(size), .count(count)]
      for kind in kinds {
        let taken = try taken(kind, size, count, workshop)
        let ratio = Double(taken) / Double((size + keyByteCount) * count)
        cells.append(.measured(ratio, decimal(ratio, 2)))
      }
      table.add(cells)
    }
    workshop.add(table)
  }

  private func taken(
    _ kind: TrialServer.Kind, _ size: Int, _ count: Int, _ workshop: Workshop
  ) throws -> Int {
    let extra: [String] =
      switch kind {
      case .cache: ["--capacity", "4gb"]
      case .redis, .valkey: []
      case .memcached: ["-m", "4096", "-t", "1"]
      }
    let server = try TrialServer(kind, in: workshop, extra: extra, keepsMemory: false)
    defer { server.stop() }
    try server.awaitReady()
    let empty = try server.measureMemory()
    let value = Pattern.bytes(seed: 1, count: size)
    let dialect = Dialect(kind)
    let pipeline = max(1, min(100, (256 << 10) / (size + 64)))
    let load = RequestLoad(clientCount: 1, batchCount: 1) { _, requests, replies in
      for key in 0..<pipeline {
        dialect.appendSet(Dialect.key(key), value, to: &requests)
        replies += dialect.stored
      }
    }
    // The server keeps the buffers of its first requests. They do not count as memory of entries.
    try load.runOnce(port: server.port)
    let connection = try Connection(port: server.port)
    var stored = 0
    while stored < count {
      var bytes: [UInt8] = []
      let end = min(stored + pipeline, count)
      for key in stored..<end { dialect.appendSet(Dialect.key(key), value, to: &bytes) }
      connection.enqueue(bytes)
      while stored < end {
        try connection.flush()
        stored += try dialect.takeStored(from: connection)
        guard stored < end else { break }
        if try !connection.fill() { try connection.wait(milliseconds: 60_000) }
      }
    }
    return try server.measureMemory() - empty
  }
}
