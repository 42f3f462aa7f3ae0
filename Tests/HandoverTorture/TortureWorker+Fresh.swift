import KHOCommands
import KexecHandover

extension TortureWorker {
  /// Takes the memory over afresh, keeps seven of eight objects, and works for a while.
  ///
  /// - Returns: whether it did; it cannot before the file exists, or if two handovers do not fit.
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
    let kept = model.objects.filter { record.keeps($0) }
    // Blocks without a name at once, as a service does that has many of them.
    var blocks: [PhysicalBlock] = []
    for object in kept {
      if object.kind == .block, !object.isNamed, !record.object.seed.isMultiple(of: 4) {
        blocks.append(PhysicalBlock(address: object.address, order: object.order))
      } else {
        try keep(object, &takeover)
      }
    }
    blocks.sort()
    try takeover.keep(blocks)
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
