import ArgumentParser
import KHOCommands
import KexecHandover
import SystemPackage

/// `kho-torture worker`: the process that is killed.
struct TortureWorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker", abstract: "The process that `kho-torture` kills.",
    shouldDisplay: false)

  @Argument(help: "The journal with the orders for the process, in which it records its work.")
  var journal: String

  @Argument(help: "The memory file.")
  var memory: String

  func run() throws {
    let opened = try TortureJournal(opening: journal)
    var worker = TortureWorker(opened, FilePath(memory))
    do throws(TortureFailure) { try worker.run() } catch {
      throw CommandFailure.badInput("\(memory): \(error.sentence)")
    }
  }
}
