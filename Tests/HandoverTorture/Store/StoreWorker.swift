import ArgumentParser
import KHOCommands
import KexecHandover
import PersistentCollections
import SystemPackage

/// `kho-torture store-worker`: the process that `kho-torture store` kills.
struct StoreWorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "store-worker", abstract: "The process that `kho-torture store` kills.",
    shouldDisplay: false)

  @Argument(help: "The journal with the orders for the process, in which it records its work.")
  var journal: String

  @Argument(help: "The memory file.")
  var memory: String

  func run() throws {
    let opened = try StoreJournal(opening: journal)
    do { try work(opened) } catch {
      throw CommandFailure.badInput("\(memory): \(error)")
    }
  }

  private func work(_ journal: StoreJournal) throws {
    let timer = KillTimer()
    let clock = ContinuousClock()
    let start = clock.now
    if journal[.killsOpening] == 1 { timer.start(nanoseconds: journal[.lifetime]) }
    let collectionCount = Int(min(journal[.collectionCount], 64))
    var store = try TorturedStore(
      journal.openMemory(at: FilePath(memory)), collectionCount: collectionCount)
    for index in TorturedStore.order(collectionCount, seed: journal[.orderSeed]) {
      try store.open(index)
    }
    journal[.openingTime] = (clock.now - start).nanoseconds
    journal[.isOpen] = 1
    for number in journal[.firstNumber]..<max(journal[.firstNumber], journal[.lastNumber]) {
      let operation = StoreOperation(
        number, seed: journal[.seed], collectionCount: collectionCount)
      journal[.begun] = number + 1
      if journal[.killsOpening] == 0, journal[.killNumber] == number {
        timer.start(nanoseconds: journal[.lifetime])
      }
      try store.apply(operation)
      journal[.ended] = number + 1
    }
  }
}
