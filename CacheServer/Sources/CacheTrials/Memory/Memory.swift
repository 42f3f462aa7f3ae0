internal import ArgumentParser
internal import TrialSupport

/// What memory a server takes, and what becomes of memory that is freed, beside redis-server.
struct Memory: Trial {
  static let configuration = CommandConfiguration(
    abstract: "Compare memory per key and the reuse of freed memory with redis-server.",
    discussion: """
      Values of several sizes are stored and counted; then memory is filled with values of one size, four of \
      five are deleted at random, and values of another size are stored until one is refused. At the end \
      values of 50 bytes to 20 MB replace each other for a while, and the storage of the memory file is \
      looked at again and again.
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
    SystemCalls.raiseDescriptorLimit()
    try MemoryBySize(payload: limit << 18).run(in: workshop)
    try MemoryReuse(limit: limit).run(in: workshop)
    try MixedSizes(limit: limit, seconds: seconds).run(in: workshop)
  }
}
