import KHOCommands
import KexecHandover

extension TortureWorker {
  /// Takes the memory over afresh, keeps seven of eight objects, and works for a while.
  ///
  /// - Returns: whether it did; it cannot where there is no memory yet, or no room for two handovers.
  mutating func takeOverFresh() throws(TortureFailure) -> Bool {
    let file = try TortureFailure.unless("the memory cannot be opened") {
      () throws(PreservedMemoryError) in try journal.openFile(path)
    }
    guard let file else { return false }
    var record = TortureRecord.ofNothing(.takeOverFresh, seed: random.next())
    begin(record)
    var memory: PreservedMemory
    do throws(PreservedMemoryError) {
      memory = try keepSome(record, of: file)
    } catch {
      guard case .full = error else {
        throw TortureFailure("a fresh take-over failed: \(error.sentence)")
      }
      record.outcome = .refused
      journal.finish(record)
      return false
    }
    record.outcome = .done
    journal.finish(record)
    model.apply(record)
    _ = try work(in: &memory)
    return true
  }

  private func keepSome(
    _ record: TortureRecord, of file: MemoryFile
  ) throws(PreservedMemoryError) -> PreservedMemory {
    var takeover = try FreshTakeover(of: file)
    for object in model.objects where record.keeps(object) { try keep(object, &takeover) }
    return try takeover.finish()
  }

  private func keep(
    _ object: TortureObject, _ takeover: inout FreshTakeover
  ) throws(PreservedMemoryError) {
    switch object.kind {
    case .area: try takeover.keepArea(named: object.name)
    case _ where object.isNamed: try takeover.keepRegion(named: object.name)
    case .block: try takeover.keep(PhysicalBlock(address: object.address, order: object.order))
    default: try takeover.keep(object.range(in: geometry))
    }
  }
}
