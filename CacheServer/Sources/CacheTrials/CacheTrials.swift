internal import ArgumentParser
internal import TrialSupport

/// The command line of `cache-trials`.
struct CacheTrials: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cache-trials",
    abstract: "Measures and proves cache-server, beside redis-server, valkey-server and memcached.",
    discussion: """
      Exit status: 0 everything held, 1 something did not, 2 the command line is wrong. Servers listen \
      at 127.0.0.1, at free ports, and keep their files in a folder of their own, which \
      is removed at the end.
      """,
    subcommands: [
      Blackout.self, Upgrades.self, SlowReaders.self, Kills.self, Throughput.self, Compare.self,
      Soak.self, Memory.self, Peers.self,
    ])
}

/// One of the trials.
protocol Trial: ParsableCommand {
  /// What it is called in reports.
  static var title: String { get }
  var shared: SharedOptions { get }
  /// Tries, and says what held.
  func run(in workshop: Workshop) throws
}

extension Trial {
  /// Trials are run by ``TrialRunner``.
  func run() throws {}
}

/// The options of all trials.
struct SharedOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The folder for the servers' files; a folder in it is made and removed.",
      valueName: "path"))
  var folder = "/dev/shm"

  @Option(
    help: ArgumentHelp(
      "cache-server; the one beside this program if none is named.",
      valueName: "path"))
  var server: String?

  @Option(help: "From which the random numbers follow.")
  var seed: UInt64 = 1

  @Flag(help: "Print JSON.")
  var json = false

  /// Of the trial that `guardian` watches.
  func workFolder(of guardian: Int32) -> String { "\(folder)/cache-trials-\(guardian)" }

  /// The program that is tried.
  var serverProgram: String {
    if let server { return server }
    let own = SystemCalls.ownProgram
    return String(own[..<(own.lastIndex(of: "/") ?? own.startIndex)]) + "/cache-server"
  }
}

/// Why a trial cannot go on: a sentence for the user.
struct TrialFailure: Error, CustomStringConvertible {
  let description: String

  init(_ sentence: String) { description = sentence }
}
