internal import ArgumentParser
internal import TrialSupport

/// How much memory a server takes, and how it uses freed memory again, beside redis-server.
struct Memory: Trial {
  static let configuration = CommandConfiguration(
    abstract: "Compare memory per key and the reuse of freed memory with redis-server.",
    discussion: """
      Stores values of several sizes and measures the memory that they take. Then fills the memory with \
      values of one size, deletes four of five at random, and stores values of another size until the server \
      refuses one. At the end, values of 50 bytes to 20 MB replace each other for --seconds, and the trial \
      measures the storage of the memory file again and again.
      """)
  static let title = "memory"

  @OptionGroup var shared: SharedOptions

  @Option(help: ArgumentHelp("maxmemory of both servers, in megabytes.", valueName: "megabytes"))
  var limit = 256

  @Option(help: "How long values of mixed sizes are stored, in seconds.")
  var seconds = 60

  func validate() throws {
    guard (64...65_536).contains(limit), (1...86_400).contains(seconds) else {
      throw ValidationError("--limit takes 64 to 65536 megabytes, --seconds 1 to 86400")
    }
  }

  func run(in workshop: Workshop) throws {
    try MemoryBySize(payload: limit << 18).run(in: workshop)
    try MemoryReuse(limit: limit).run(in: workshop)
    try MixedSizes(limit: limit, seconds: seconds).run(in: workshop)
  }
}
