import KHOCommands
import KexecHandover
import SystemPackage

/// What a tortured process was about to do, and what came of it: a file of its own, mapped by the
/// process and by the process that kills it, so that it survives with every store that was made.
///
///     word 0  magic, counts, and the orders to the process        64  record 0, record 1, …
///
/// A record is written before its operation and counted as begun, then completed and counted as
/// finished. Where one more was begun than finished, the process was killed inside it.
struct TortureJournal {
  private let file: JournalFile<Field>

  /// "KHOTORTR".
  static let magic: UInt64 = 0x5254_524f_544f_484b

  /// The most objects that there may be, and the most operations of one process.
  static let objectLimit = 700
  private static let recordLimit = objectLimit + 4000
  private static let firstRecordWord = JournalFile<Field>.headerWordCount
  private static let byteCount = UInt64(
    (firstRecordWord + recordLimit * TortureRecord.wordCount) * 8)

  /// The orders for the process and its answers, in words of the header.
  enum Field: Int {
    case magic, begunCount, finishedCount, existingCount
    /// Where the process takes its numbers from.
    case seed
    /// Of the memory file that the process makes if none exists.
    case pageShift, byteCount, capacity
    /// 1 where the process takes the memory over, and does nothing else.
    case onlyTakesOver
    /// How many records are begun when the process starts the timer that kills it; 0 if another
    /// process kills it. For how many nanoseconds it lives then. Where `lifeShare` is not 0, it lives for
    /// as long as its last operation of the same kind took, times that of 1,024, and waits for an
    /// operation of which it knows that; `lifetime` is for those that are hardly ever done twice.
    case killAtCount, lifetime, lifeShare
    /// 1 from the moment on at which the process is about to touch the memory file.
    case isAtWork
  }

  /// A new journal.
  init(creating path: FilePath) throws(CommandFailure) {
    file = try JournalFile(creating: path, byteCount: Self.byteCount, magic: Self.magic)
  }

  /// The journal of the process that started this one.
  init(opening path: String) throws(CommandFailure) {
    file = try JournalFile(opening: path, byteCount: Self.byteCount, magic: Self.magic)
  }

  subscript(field: Field) -> UInt64 {
    get { file[field] }
    nonmutating set { file[field] = newValue }
  }

  /// The page size of the memory file.
  var geometry: PageGeometry { file.geometry(.pageShift) }

  /// Begins anew with `objects`, of which there are at most ``objectLimit``.
  func restart(with objects: [TortureObject]) {
    self[.isAtWork] = 0
    for (index, object) in objects.enumerated() {
      var record = TortureRecord(.exists, object)
      record.outcome = .done
      store(record, at: index)
    }
    self[.existingCount] = UInt64(objects.count)
    self[.begunCount] = UInt64(objects.count)
    self[.finishedCount] = UInt64(objects.count)
  }

  /// Whether there is room for a step, and the little that is done before the memory is closed.
  var hasRoom: Bool { self[.begunCount] + 4 < UInt64(Self.recordLimit) }

  /// Says that the operation is about to begin.
  func begin(_ record: TortureRecord) {
    let count = self[.begunCount]
    store(record, at: Int(count))
    self[.begunCount] = count + 1
  }

  /// Says what came of the operation that was begun last.
  func finish(_ record: TortureRecord) {
    let count = self[.finishedCount]
    store(record, at: Int(count))
    self[.finishedCount] = count + 1
  }

  /// The records of all operations that were completed, and of the one that was not.
  ///
  /// Nil where the journal is damaged.
  func read() -> (finished: [TortureRecord], inFlight: TortureRecord?)? {
    let finishedCount = self[.finishedCount]
    let begunCount = self[.begunCount]
    guard begunCount <= Self.recordLimit,
      begunCount == finishedCount || begunCount == finishedCount + 1
    else { return nil }
    var finished: [TortureRecord] = []
    for index in 0..<Int(finishedCount) {
      guard let record = record(at: index) else { return nil }
      finished.append(record)
    }
    guard begunCount > finishedCount else { return (finished, nil) }
    guard let inFlight = record(at: Int(finishedCount)) else { return nil }
    return (finished, inFlight)
  }

  private func record(at index: Int) -> TortureRecord? {
    TortureRecord(
      withRecord(index) { words in (0..<TortureRecord.wordCount).map { words.load($0) } })
  }

  private func store(_ record: TortureRecord, at index: Int) {
    withRecord(index) { words in
      for (position, word) in record.words.enumerated() { words.publish(word, at: position) }
    }
  }

  private func withRecord<Result>(_ index: Int, _ body: (borrowing MemoryWords) -> Result) -> Result
  {
    let word = Self.firstRecordWord + index * TortureRecord.wordCount
    return file.file.withWords(
      at: PhysicalAddress(UInt64(word * 8)), count: TortureRecord.wordCount, body)
  }
}
