import ArgumentParser
import KHOCommands
import KexecHandover
import SystemPackage

/// `kho-torture worker`: the process that is killed.
struct TortureWorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker", abstract: "The process that `kho-torture` kills.",
    shouldDisplay: false)

  @Argument(help: "What the process is told, and where it tells what it does.")
  var journal: String

  @Argument(help: "The memory file.")
  var memory: String

  func run() throws {
    let opened: TortureJournal?
    do throws(MemoryFileError) {
      opened = try TortureJournal(opening: FilePath(journal))
    } catch {
      throw CommandFailure.badInput("\(journal): \(error.sentence)")
    }
    guard let opened else {
      throw CommandFailure.badInput("\(journal): the file is not the journal of a torture")
    }
    var worker = TortureWorker(opened, FilePath(memory))
    do throws(TortureFailure) { try worker.run() } catch {
      throw CommandFailure.badInput("\(memory): \(error.sentence)")
    }
  }
}
