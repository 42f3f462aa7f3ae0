import KexecHandover

extension TortureRun {
  /// Takes the memory over, compares it with the state before and after the operation in flight, and
  /// goes on from whichever it is.
  mutating func takeOver(
    _ inFlight: TortureRecord?
  ) throws(TortureFailure) -> TortureLanding {
    let (path, journal) = (path, journal)
    var memory = try TortureFailure.unless("the memory cannot be taken over") {
      () throws(PreservedMemoryError) in try journal.openMemory(at: path)
    }
    generation = memory.generation
    let observed = try examiner.observe(&memory)
    if let inFlight, inFlight.operation == .rewrite {
      return try finishRewriting(inFlight, observed, &memory)
    }
    guard let difference = examiner.difference(model, observed, in: memory.file) else {
      return inFlight?.operation == .trim ? .inside : .before
    }
    guard let inFlight,
      let record = examiner.completed(inFlight, model, observed, in: memory.file)
    else { throw TortureFailure(difference) }
    var after = model
    after.apply(record)
    if let other = examiner.difference(after, observed, in: memory.file) {
      throw TortureFailure(
        "the state is neither that before the operation: \(difference); nor that after it: \(other)"
      )
    }
    if record.operation == .allocate {
      try free(record.object, &memory)
    } else {
      model = after
    }
    return .after
  }

  /// Frees what was allocated before the caller learned its address.
  private mutating func free(
    _ object: TortureObject, _ memory: inout PreservedMemory
  ) throws(TortureFailure) {
    do throws(PreservedMemoryError) {
      if object.kind == .block {
        try memory.free(PhysicalBlock(address: object.address, order: object.order))
      } else {
        try memory.free(object.range(in: examiner.geometry))
      }
      // The nodes that this left empty.
      try memory.trim()
    } catch {
      throw TortureFailure("an allocation cannot be freed: \(error.sentence)")
    }
    tally.freedAllocationCount += 1
    let observed = try examiner.observe(&memory)
    if let difference = examiner.difference(model, observed, in: memory.file) {
      throw TortureFailure("after an allocation was freed: \(difference)")
    }
  }

  private mutating func finishRewriting(
    _ record: TortureRecord, _ observed: ObservedMemory, _ memory: inout PreservedMemory
  ) throws(TortureFailure) -> TortureLanding {
    let geometry = examiner.geometry
    guard let old = model.object(record.object.identifier),
      let layout = TortureLayout(of: old, in: memory.file, geometry: geometry),
      let count = old.rewrittenWordCount(
        with: record.object.seed, in: memory.file, layout)
    else {
      throw TortureFailure("words were rewritten in another order than they were stored")
    }
    old.rewrite(with: record.object.seed, in: &memory, layout)
    var new = old
    new.seed = record.object.seed
    model.put(new)
    if let difference = examiner.difference(model, observed, in: memory.file) {
      throw TortureFailure(difference)
    }
    let wordCount = layout.extents.reduce(0) { $0 + $1.range.byteCount / 8 }
    return count == 0 ? .before : count == wordCount ? .after : .inside
  }
}
