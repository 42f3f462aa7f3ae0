internal import TrialSupport

/// How often memcached refuses the memory that it has left, where it is started again at once.
enum MemcachedRefusal {
  private static let keyCount = 1000

  static func count(rounds: Int, in workshop: Workshop) throws -> Int {
    let server = try TrialServer(.memcached, in: workshop, extra: ["-m", "64"])
    defer { server.stop() }
    var refusalCount = 0
    for round in 1...rounds {
      workshop.progress("memcached, started again at once: \(round) of \(rounds)")
      try server.awaitReady()
      try server.fill(keyCount, workshop)
      server.process.signal(SignalNumber.user1)
      try server.process.wait()
      try server.start()
      try server.awaitReady()
      if try !hasKey(server) { refusalCount += 1 }
    }
    return refusalCount
  }

  private static func hasKey(_ server: TrialServer) throws -> Bool {
    let connection = try Connection(port: server.port)
    connection.enqueue(Dialect.memcached.get(7))
    let answer = try connection.awaited(within: 5000) { () throws(ConnectionError) in
      try Dialect.memcached.takeAnswer(to: 7, from: connection)
    }
    return answer == .right
  }
}
