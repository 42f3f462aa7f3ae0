import HandoverDemo
import KHOCommands
import KexecHandover
import SystemPackage

/// Changes a memory file as fast as it can, and says in the journal what it is about to do.
struct TortureWorker {
  let journal: TortureJournal
  let path: FilePath
  let geometry: PageGeometry
  let capacity: UInt64
  var random: SplitMix
  var model = TortureModel()
  var nextIdentifier: UInt64
  /// Whether more is made than is removed: until the memory is full, or there is too much in it.
  var isFilling: Bool

  private let timer = KillTimer()
  private var isTimed = false
  private let clock = ContinuousClock()
  /// How long the last operation of each kind took, in nanoseconds.
  private var durations = [UInt64](repeating: 0, count: TortureOperation.allCases.count + 1)

  init(_ journal: TortureJournal, _ path: FilePath) {
    self.journal = journal
    self.path = path
    geometry = journal.geometry
    capacity = journal[.capacity]
    random = SplitMix(seed: journal[.seed])
    for record in journal.read()?.finished ?? [] { model.apply(record) }
    nextIdentifier = 1 + (model.objects.map(\.identifier).max() ?? 0)
    isFilling = !random.isOne(in: 3)
  }

  /// Works until it is killed, or until the journal is full.
  mutating func run() throws(TortureFailure) {
    if journal[.onlyTakesOver] == 1 {
      journal[.isAtWork] = 1
      if journal[.killAtCount] != 0 { timer.start(nanoseconds: journal[.lifetime]) }
      try TortureFailure.unless("the memory cannot be taken over") {
        () throws(PreservedMemoryError) in
        var memory = try journal.openMemory(at: path)
        _ = try memory.freeByteCount()
      }
      return
    }
    var usedByteCount: UInt64?
    while journal.hasRoom { usedByteCount = try work(expecting: usedByteCount) }
  }

  /// Opens the memory, works for a while, and lets go of it.
  ///
  /// - Parameter usedByteCount: how much was in use when the memory was let go of.
  /// - Returns: the same for the next time.
  private mutating func work(
    expecting usedByteCount: UInt64?
  ) throws(TortureFailure) -> UInt64? {
    if random.isOne(in: 4), try takeOverFresh() { return nil }
    var record = TortureRecord.ofNothing(.open)
    begin(record)
    var memory = try TortureFailure.unless("the memory cannot be opened") {
      () throws(PreservedMemoryError) in try journal.openMemory(at: path)
    }
    record.outcome = .done
    journal.finish(record)
    // A fresh take-over that did not fit may have made the file larger.
    if let usedByteCount {
      let found = try self.usedByteCount(&memory)
      guard found == usedByteCount else {
        throw TortureFailure(
          "\(usedByteCount) bytes were in use when the memory was closed, and \(found) when it was "
            + "opened again")
      }
    }
    return try work(in: &memory)
  }

  /// Works for a while; returns how much is in use at the end, unless the journal is full.
  mutating func work(in memory: inout PreservedMemory) throws(TortureFailure) -> UInt64? {
    while journal.hasRoom {
      try step(&memory)
      guard random.isOne(in: 50) else { continue }
      // Without the nodes that became empty: the next owner frees those first of all.
      try perform(.ofNothing(.trim), &memory) { (memory, _) throws(PreservedMemoryError) in
        try memory.trim()
      }
      return try self.usedByteCount(&memory)
    }
    return nil
  }

  private func usedByteCount(_ memory: inout PreservedMemory) throws(TortureFailure) -> UInt64 {
    do throws(PreservedMemoryError) { return memory.byteCount - (try memory.freeByteCount()) } catch
    {
      throw TortureFailure("free memory cannot be counted: \(error.sentence)")
    }
  }

  /// Writes the record of what is about to be done, and starts the timer where its time has come.
  mutating func begin(_ record: TortureRecord) {
    journal.begin(record)
    guard !isTimed, journal[.killAtCount] != 0, journal[.killAtCount] <= journal[.begunCount] else {
      return
    }
    var lifetime = journal[.lifetime]
    if journal[.lifeShare] > 0, !record.operation.takesOver {
      lifetime = durations[Int(record.operation.rawValue)] &* journal[.lifeShare] / 1024
      if lifetime == 0 { return }
    }
    isTimed = true
    timer.start(nanoseconds: lifetime)
  }

  /// Does one operation: its record first, its result afterwards.
  mutating func perform(
    _ record: TortureRecord, _ memory: inout PreservedMemory,
    _ body: (inout PreservedMemory, inout TortureObject) throws(PreservedMemoryError) -> Void
  ) throws(TortureFailure) {
    var record = record
    let start = clock.now
    begin(record)
    do throws(PreservedMemoryError) {
      try body(&memory, &record.object)
      record.outcome = .done
      durations[Int(record.operation.rawValue)] = (clock.now - start).nanoseconds
      model.apply(record)
    } catch {
      guard case .full = error else {
        throw TortureFailure("\(record.operation.title) failed: \(error.sentence)")
      }
      record.outcome = .refused
      isFilling = false
    }
    journal.finish(record)
  }
}
