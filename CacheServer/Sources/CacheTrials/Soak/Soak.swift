internal import ArgumentParser
internal import TrialSupport

/// A long time in short: everything that happens to a server, again and again.
struct Soak: Trial {
  static let configuration = CommandConfiguration(
    abstract: "Load, expiry, eviction, upgrades and kills, for as long as is asked.",
    discussion: """
      Two servers, because an evicted key looks like a lost one: on the first nothing is \
      evicted, so that every key which is gone must have had a deadline; on the second the memory is \
      limited, so that a key may be gone, and what is there must be right. Each client is the only one \
      to write its keys, and knows what they hold. All keys are looked at after each kill and at the \
      end. A connection may end by a kill, and in no other way. A kill that falls into an upgrade \
      waits for its end.
      """)
  static let title = "soak"
  /// The last third of the time may take so much more memory than the first.
  private static let factor = 1.25
  private static let slack = Double(4 << 20)

  @OptionGroup var shared: SharedOptions

  @Option(help: "How long.")
  var seconds = 600

  @Option(help: ArgumentHelp("Upgrade each server so often.", valueName: "seconds"))
  var upgradeEvery = 5.0

  @Option(help: ArgumentHelp("Kill each server so often.", valueName: "seconds"))
  var killEvery = 17.0

  @Option(help: "How many clients each server has.")
  var clients = 4

  @Option(help: "How many keys each client has.")
  var keys = 1000

  @Option(help: ArgumentHelp("kho, which checks the files at the end.", valueName: "path"))
  var kho: String?

  func validate() throws {
    guard (1...1_000_000).contains(seconds), clients > 0, keys >= 16 else {
      throw ValidationError(
        "--seconds takes numbers from 1 to 1000000, --clients from 1, --keys from 16")
    }
    guard upgradeEvery >= 0.1, killEvery >= 0.1 else {
      throw ValidationError("--upgrade-every and --kill-every take 0.1 seconds and more")
    }
  }

  func run(in workshop: Workshop) throws {
    let sides = try [false, true].map { evicts in
      try SoakSide(
        evicts: evicts, clientCount: clients, keyCount: keys,
        seed: shared.seed &+ (evicts ? 1 : 0), in: workshop)
    }
    defer { for side in sides { side.server.stop() } }
    var trouble: String?
    do { try soak(sides, workshop) } catch { trouble = "seed \(shared.seed): \(error)" }
    report(sides, workshop)
    workshop.claim(
      "no key is lost, no answer is wrong, no connection ends but by a kill", trouble == nil,
      trouble ?? "\(sides.reduce(0) { $0 + $1.acknowledgedCount }) commands answered")
    workshop.claim(
      "keys were found, have expired and were evicted, servers were upgraded and killed",
      sides.allSatisfy {
        $0.figures.upgradeCount > 0 && $0.figures.killCount > 0 && $0.foundCount > 0
      } && sides[0].figures.expiredCount > 0 && sides[0].figures.evictedCount == 0
        && sides[1].figures.evictedCount > 0)
    for side in sides {
      for (name, growth) in side.memory {
        workshop.claim(
          "\(side.name): \(name) is bounded",
          growth.isBounded(factor: Self.factor, slack: Self.slack),
          "at most \(Self.text(growth.first)) in the first third, \(Self.text(growth.last)) in the last"
        )
      }
    }
  }

  private func soak(_ sides: [SoakSide], _ workshop: Workshop) throws {
    let start = SystemCalls.monotonicNanoseconds
    func elapsed() -> Double { Double(SystemCalls.monotonicNanoseconds - start) / 1e9 }
    // The two servers do not do the same at the same time.
    var delay = 0.0
    try each(sides) { side in
      try side.begin(upgradeEvery: upgradeEvery, killEvery: killEvery, delay: delay)
      delay += min(upgradeEvery, killEvery) / 2
    }
    while elapsed() < Double(seconds) {
      try each(sides) { try $0.step(at: elapsed()) }
      workshop.progress(
        sides.map {
          "\($0.name): \($0.acknowledgedCount) answers, \($0.figures.upgradeCount) upgrades, "
            + "\($0.figures.killCount) kills"
        }.joined(separator: "; "))
      // Lets the servers have the core where there is only one.
      SystemCalls.sleep(microseconds: 100)
    }
    try each(sides) { try $0.end(kho: kho) }
  }

  /// Does something with each side; what goes wrong names it.
  private func each(_ sides: [SoakSide], _ body: (SoakSide) throws -> Void) throws {
    for side in sides {
      do { try body(side) } catch { throw TrialFailure("\(side.name): \(error)") }
    }
  }

  private func report(_ sides: [SoakSide], _ workshop: Workshop) {
    var table = Report.Table(
      "\(seconds) s, \(clients) clients with \(keys) keys on each server, upgrades every "
        + "\(shortDecimal(upgradeEvery)) s, kills every \(shortDecimal(killEvery)) s",
      [
        ("SERVER", "server"), ("ANSWERS", "answers"), ("UPGRADES", "upgrades"),
        ("KILLS", "kills"), ("KEYS LOOKED AT", "checked"), ("EXPIRED", "expired"),
        ("EVICTED", "evicted"), ("RESTART MS, MEDIAN", "restart"), ("RANGE", "restart_range"),
      ])
    for side in sides {
      table.add([
        .words(side.name), .count(side.acknowledgedCount), .count(side.figures.upgradeCount),
        .count(side.figures.killCount), .count(side.figures.checkedKeyCount),
        .count(side.figures.expiredCount), .count(side.figures.evictedCount),
        .measured(side.figures.restart.median), .range(side.figures.restart, shortDecimal),
      ])
    }
    workshop.add(table)
  }

  private static func text(_ byteCount: Double?) -> String {
    byteCount.map { byteText(UInt64($0)) } ?? "nothing measured"
  }
}
