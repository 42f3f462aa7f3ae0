internal import TrialSupport

extension TrialServer {
  /// Sets the keys 0 to `count`.
  func fill(_ count: Int, _ workshop: Workshop) throws {
    let dialect = Dialect(kind)
    let connection = try Connection(port: port)
    var sent = 0
    var stored = 0
    while true {
      stored += try dialect.takeStored(from: connection)
      guard stored < count else { return }
      while sent < count, sent - stored < 256 {
        var bytes: [UInt8] = []
        for number in sent..<min(sent + 32, count) { dialect.appendSet(number, to: &bytes) }
        connection.enqueue(bytes)
        sent = min(sent + 32, count)
      }
      try connection.flush()
      if try !connection.fill() { try connection.wait(milliseconds: 60_000) }
      workshop.progress("\(kind.rawValue): \(stored) of \(count) keys are set")
    }
  }
}
