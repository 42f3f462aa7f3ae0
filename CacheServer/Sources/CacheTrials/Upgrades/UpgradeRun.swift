internal import TrialSupport

/// A server with many clients that is upgraded again and again.
final class UpgradeRun {
  let clientCount: Int
  let server: TrialServer
  private let clients: IdleConnections
  private var asking: BlackoutClient
  /// How many descriptors the process of the first upgrade had open.
  private var secondDescriptorCount = 0
  /// The longest wait in each upgrade of the client that asks all the time, in milliseconds.
  private(set) var waits = Samples()
  /// Its longest wait beside each upgrade, in a time as long as the upgrade took, in milliseconds.
  private(set) var quietWaits = Samples()
  /// The time in each upgrade from the signal to the end of the old process, in milliseconds.
  private(set) var endings = Samples()
  /// How often the client that asks had to connect again.
  private(set) var retryCount = 0

  init(clientCount: Int, keyCount: Int, in workshop: Workshop) throws {
    self.clientCount = clientCount
    server = try TrialServer(.cache, in: workshop, extra: ["--capacity", "4gb"])
    try server.awaitReady()
    try server.fill(keyCount, workshop)
    asking = BlackoutClient(server, keyCount: keyCount, seed: workshop.options.seed)
    clients = try IdleConnections(port: server.port, count: clientCount)
    let named = clients.countAnswers(
      to: { requestBytes("CLIENT", "SETNAME", "client-\($0)") },
      expecting: { _ in Array("+OK\r\n".utf8) })
    guard named == clientCount else {
      throw TrialFailure("only \(named) of \(clientCount) clients are served")
    }
  }

  func upgrade(times count: Int, _ workshop: Workshop) throws {
    for number in 1...count {
      workshop.progress("\(clientCount) clients: upgrade \(number) of \(count)")
      let figures = try BlackoutMeasurement(server: server, event: .upgrade).run(&asking)
      waits.add(figures.blackout)
      endings.add(figures.ending)
      retryCount += figures.failureCount
      quietWaits.add(try measureQuiet(milliseconds: figures.ending))
      if number == 1 {
        secondDescriptorCount = try SystemCalls.descriptorCount(of: server.process.id)
      }
    }
  }

  /// The longest wait of the client that asks while nothing happens to the server.
  private func measureQuiet(milliseconds length: Double) throws -> Double {
    let start = SystemCalls.monotonicNanoseconds
    let end = start + UInt64(length * 1_000_000)
    var last = start
    var longest = 0.0
    while last < end {
      guard try asking.ask({ nil }) else { throw TrialFailure("the server does not answer") }
      longest = max(longest, milliseconds(last, asking.lastRight))
      last = asking.lastRight
    }
    return longest
  }

  /// How many clients do not get their name over their first connection.
  func countLost() -> Int {
    let answered = clients.countAnswers(
      to: { _ in requestBytes("CLIENT", "GETNAME") },
      expecting: { index in
        let name = "client-\(index)"
        return Array("$\(name.utf8.count)\r\n\(name)\r\n".utf8)
      })
    return clientCount - answered
  }

  /// How many descriptors the second process had open, and how many the last one has.
  func descriptorCounts() throws -> (first: Int, last: Int) {
    (secondDescriptorCount, try SystemCalls.descriptorCount(of: server.process.id))
  }

  /// How long the event loop paused in each upgrade, in milliseconds, as the server reports it.
  var pauses: Samples {
    var samples = Samples()
    let words = "clients have waited for "
    for line in server.log.split(separator: "\n") {
      guard let range = line.firstRange(of: words),
        let microseconds = Double(line[range.upperBound...].prefix { $0.isNumber })
      else { continue }
      samples.add(microseconds / 1000)
    }
    return samples
  }
}
