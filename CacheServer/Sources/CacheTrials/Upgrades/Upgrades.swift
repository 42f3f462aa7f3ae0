internal import ArgumentParser
internal import TrialSupport

/// Many upgrades in a row with many clients.
struct Upgrades: Trial {
  static let configuration = CommandConfiguration(
    abstract: "Upgrade many times in a row while many clients are connected.",
    discussion: """
      Each client has a name, and at the end asks for it over its first connection. One more client asks \
      for keys, one after the other, all the time; the trial measures its longest wait in each upgrade, and \
      beside it in a time as long as the upgrade took, in which nothing happens. Each upgrade begins after the \
      process of the one before has ended.
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

  @Flag(help: "Print times without claims about them: for a machine that does other work.")
  var withoutTimeClaims = false

  /// The limits that the trial claims, in milliseconds: on the wait of a client, and on the pause of the event loop.
  private static let longestWait = 20.0
  private static let longestPause = 5.0
  /// How many descriptors of its own, for signals, a process may open after it was counted. A leak of one in each
  /// upgrade is more.
  private static let lateDescriptorCount = 8

  func validate() throws {
    try ClientCounts.validate(clients)
    guard (1...10_000).contains(upgrades), (1...100_000_000).contains(keys) else {
      throw ValidationError("--upgrades takes a number up to 10000, --keys one up to 100000000")
    }
  }

  func run(in workshop: Workshop) throws {
    try ClientCounts.makeRoom(for: clients)
    var table = Report.Table(
      "\(upgrades) upgrades in a row, \(keys) keys of 1 KiB; milliseconds",
      [
        ("CLIENTS", "clients"), ("LONGEST WAIT, MEDIAN", "wait"), ("RANGE", "wait_range"),
        ("WITHOUT UPGRADE", "quiet_wait"), ("RANGE", "quiet_wait_range"),
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
        .measured(run.quietWaits.median), .range(run.quietWaits, shortDecimal),
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
      "\(clients): after \(upgrades) upgrades, each is connected and has its name",
      lostCount == 0,
      "\(lostCount) lost, \(run.retryCount) retries of the one that asks")
    workshop.claim(
      "\(clients): the last process has no more descriptors than the second, but for at most "
        + "\(Self.lateDescriptorCount) of its own",
      ends.last <= ends.first + Self.lateDescriptorCount,
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
