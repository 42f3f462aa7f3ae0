internal import TrialSupport

/// What a key with 1 KiB takes, beside its bytes.
struct MemoryPerKey {
  let keyCount: Int

  /// What may come on top of the bytes of key and value.
  private static let allowance = 1.10

  func run(in workshop: Workshop) throws {
    let payload = Dialect.key(0).count + Dialect.valueByteCount
    var table = Report.Table(
      "memory with \(keyCount) keys of \(Dialect.key(0).count) bytes and values of \(Dialect.valueByteCount)",
      [
        ("SERVER", "server"), ("WHAT", "what"), ("BYTES PER KEY", "bytes_per_key"),
        ("OF PAYLOAD", "of_payload"), ("EMPTY", "empty_bytes"),
      ])
    for kind in [TrialServer.Kind.redis, .cache] {
      let capacity = kind == .cache ? ["--capacity", "\(max(1024, (keyCount * 3) >> 10))mb"] : []
      let server = try TrialServer(kind, in: workshop, extra: capacity)
      defer { server.stop() }
      try server.awaitReady()
      let empty = try server.measureMemory()
      try server.fill(keyCount, workshop)
      let perKey = Double(try server.measureMemory() - empty) / Double(keyCount)
      let ratio = perKey / Double(payload)
      table.add([
        .words(kind.rawValue),
        .words(kind == .cache ? "storage of the file and RssAnon" : "VmRSS"),
        .measured(perKey, decimal(perKey, 1)), .measured(ratio, decimal(ratio, 3)),
        .measured(Double(empty), byteText(UInt64(empty))),
      ])
      if kind == .cache {
        // Less than its bytes would be nothing that was measured.
        workshop.claim(
          "a key takes at most \(decimal(Self.allowance, 2)) times its bytes",
          (1...Self.allowance).contains(ratio),
          "\(decimal(ratio, 3)) times")
      }
    }
    workshop.add(table)
  }
}
