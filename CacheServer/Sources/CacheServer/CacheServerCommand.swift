internal import ArgumentParser
internal import CacheCore

/// The command line of `cache-server`.
struct CacheServerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cache-server",
    abstract: "A cache that speaks Redis and does not forget on upgrade or crash.",
    discussion: """
      All entries lie in the memory file. SIGTERM ends the server, and the next start serves what is \
      there; so it does after a crash. SIGUSR2, or the command UPGRADE, starts the program anew and \
      hands memory, listening socket and clients over to it.
      """)

  @Option(help: "The port to listen at; 0 for any.")
  var port = ServerOptions().port

  @Option(help: "The address to listen at.")
  var bind = ServerOptions().address

  @Option(
    help: ArgumentHelp(
      "Where the entries lie: a file on tmpfs or hugetlbfs, or memfd:NAME, kept by systemd.",
      valueName: "path"))
  var memoryFile = ServerOptions().memoryFile

  @Option(
    help: ArgumentHelp(
      "How much of it the entries may take, as 100mb; 0 for all there is.", valueName: "size"))
  var maxmemory = SizeArgument(ServerOptions().maximumByteCount)

  @Option(
    name: .customLong("maxmemory-policy"),
    help: "What is done then.")
  var policy = PolicyArgument(ServerOptions().policy)

  @Option(help: ArgumentHelp("How large the file may grow, as 16gb.", valueName: "size"))
  var capacity: SizeArgument?

  /// What the command line asks for.
  var options: ServerOptions {
    ServerOptions(
      port: port, address: bind, memoryFile: memoryFile, maximumByteCount: maxmemory.byteCount,
      policy: policy.policy, capacity: capacity?.byteCount)
  }
}

/// A number of bytes, as Redis takes it: 100mb.
struct SizeArgument: ExpressibleByArgument, CustomStringConvertible {
  let byteCount: UInt64

  init(_ byteCount: UInt64) { self.byteCount = byteCount }

  init?(argument: String) {
    guard let value = ByteCountText.parse(argument) else { return nil }
    byteCount = value
  }

  var description: String { String(byteCount) }
}

/// What is done where memory is short, as Redis names it.
struct PolicyArgument: ExpressibleByArgument, CustomStringConvertible {
  let policy: Settings.Policy

  init(_ policy: Settings.Policy) { self.policy = policy }

  init?(argument: String) {
    guard let policy = Settings.Policy(rawValue: argument) else { return nil }
    self.policy = policy
  }

  var description: String { policy.rawValue }

  static var allValueStrings: [String] { Settings.Policy.allCases.map(\.rawValue) }
}
