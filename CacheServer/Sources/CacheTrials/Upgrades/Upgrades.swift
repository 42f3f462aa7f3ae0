internal import ArgumentParser
internal import TrialSupport

/// Many upgrades in a row with many clients.
struct Upgrades: Trial {
  static let configuration = CommandConfiguration(
    abstract: "Upgrade many times in a row while many clients are connected.",
    discussion: """
      Each client has a name, and asks for it at the end over the connection that it has had from the \
      beginning. One more client asks for keys, one after the other, all the time; its longest wait of every \
      upgrade is measured. Each upgrade waits until the process before has ended.
      """)
  static let title = "upgrades with many clients"

  @OptionGroup var shared: SharedOptions

  @Option(
    parsing: .upToNextOption,
    help: "How many clients are connected; several numbers, one after the other (see ulimit -n).")
  var clients = [10_000]

  @Option(help: "How many upgrades.")
  var upgrades = 100

  @Option(help: "How many keys of 1 KiB.")
  var keys = 10_000

  @Flag(help: "Print times, and make no claims about them: for a machine that does other work.")
  var withoutTimeClaims = false

  /// What is wanted, in milliseconds: how long the longest wait of a client and the pause of the event loop may be.
  private static let longestWait = 20.0
  private static let longestPause = 5.0

  func validate() throws {
    guard clients.allSatisfy({ (0...60_000).contains($0) }), !clients.isEmpty else {
      throw ValidationError("--clients takes numbers from 0 to 60000")
    }
    guard (1...10_000).contains(upgrades), (1...100_000_000).contains(keys) else {
      throw ValidationError("--upgrades takes a number up to 10000, --keys one up to 100000000")
    }
  }

  func run(in workshop: Workshop) throws {
    let limit = SystemCalls.raiseDescriptorLimit()
    guard let most = clients.max(), most + 100 <= limit else {
      throw TrialFailure(
        "\(clients.max() ?? 0) clients need more descriptors than ulimit -n allows: \(limit)")
    }
    var table = Report.Table(
      "\(upgrades) upgrades in a row, \(keys) keys of 1 KiB; milliseconds",
      [
        ("CLIENTS", "clients"), ("LONGEST WAIT, MEDIAN", "wait"), ("RANGE", "wait_range"),
        ("PAUSE, MEDIAN", "pause"), ("RANGE", "pause_range"), ("UNTIL GONE", "until_gone"),
        ("DESCRIPTORS", "descriptors"), ("LOST", "lost"),
      ])
    for count in clients {
      let run = try UpgradeRun(clientCount: count, keyCount: keys, in: workshop)
      try run.upgrade(times: upgrades, workshop)
      let lostCount = run.countLost()
      let ends = try run.descriptorCounts()
      let pauses = run.pauses
      run.server.stop()
      table.add([
        .count(count), .measured(run.waits.median), .range(run.waits, shortDecimal),
        .measured(pauses.median), .range(pauses, shortDecimal),
        .measured(run.endings.median), .count(ends.last), .count(lostCount),
      ])
      claim(run, pauses, lostCount, ends, workshop)
    }
    workshop.add(table)
  }

  private func claim(
    _ run: UpgradeRun, _ pauses: Samples, _ lostCount: Int, _ ends: (first: Int, last: Int),
    _ workshop: Workshop
  ) {
    let clients = "\(run.clientCount) clients"
    workshop.claim(
      "\(clients): each is connected after \(upgrades) upgrades, and under its name",
      lostCount == 0,
      "\(lostCount) lost, \(run.retryCount) retries of the one that asks")
    workshop.claim(
      "\(clients): the last process has no more descriptors than the second",
      ends.last <= ends.first,
      "\(ends.first) and \(ends.last)")
    guard !withoutTimeClaims else { return }
    let wait = run.waits.greatest ?? .infinity
    workshop.claim(
      "\(clients): no wait is longer than \(decimal(Self.longestWait, 0)) ms",
      wait <= Self.longestWait, "\(shortDecimal(wait)) ms")
    let pause = pauses.greatest ?? .infinity
    workshop.claim(
      "\(clients): the event loop never pauses for more than \(decimal(Self.longestPause, 0)) ms",
      pause <= Self.longestPause, "\(shortDecimal(pause)) ms")
  }
}
