import ArgumentParser
import SystemPackage

/// The options that both kinds of torture have.
struct TortureOptions: ParsableArguments {
  @Argument(help: "The memory file to make, best on a tmpfs such as /dev/shm.", completion: .file())
  var file: String

  @Option(help: ArgumentHelp("How many processes to kill.", valueName: "n"))
  var kills: UInt64 = 1000

  @Option(help: ArgumentHelp("Where random numbers come from.", valueName: "s"))
  var seed: UInt64 = 1

  func validate() throws {
    guard kills > 0 else { throw ValidationError("--kills is at least 1.") }
  }

  var path: FilePath { FilePath(file) }
  var journalPath: FilePath { FilePath(file + ".journal") }
}
