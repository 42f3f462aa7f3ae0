import MemoryAccess
import ProcessHandover

/// Memory that is only read, in the form that collections are read in: each word is copied before it is
/// lent, words that do not exist are 0, and stores are lost. Words of a change that was not completed are
/// as they were before it.
///
/// The memory may contain anything, and may change or become shorter meanwhile.
struct BoundedView<Base: PhysicalMemory>: WritablePhysicalMemory {
  private let base: Base
  private let range: PhysicalRange
  /// The words that the change overwrote, as they were before it, by address.
  private var before: [(address: UInt64, word: UInt64)] = []

  init(_ base: Base, byteCount: UInt64) {
    self.base = base
    range = PhysicalRange(start: .zero, byteCount: min(byteCount, base.byteCount))
  }

  /// Presents the words in the log of a ledger as they were before the change.
  ///
  /// - Complexity: O(log · log log).
  mutating func undo(_ ledger: MemoryLedger, _ control: LedgerControl) {
    // The first entry of a word has its value from before the change.
    var words: [UInt64: UInt64] = [:]
    for index in (0..<min(control.logCount, LedgerLayout.logCapacity)).reversed() {
      let entry = ledger.start &+ LedgerLayout.log &+ UInt64(index) &* 16
      guard let address = base.ledgerWord(at: entry), let word = base.ledgerWord(at: entry &+ 8)
      else { continue }
      words[address] = word
    }
    before = words.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// Whether every word is shown as it is in memory.
  var isPlain: Bool { before.isEmpty }

  var byteCount: UInt64 { range.byteCount }

  func contains(_ other: PhysicalRange) -> Bool { range.contains(other) && base.contains(other) }

  func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    base.storedRange(atOrAfter: address)?.intersection(range)
  }

  func withBytes<Result: ~Copyable, Failure: Error>(
    in wanted: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard range.contains(wanted) else { return nil }
    let start = wanted.start.rawValue
    let first = before.partitioningIndex { $0.address > start &- min(start, 8) }
    guard first < before.count, before[first].address < start &+ wanted.byteCount else {
      return try base.withBytes(in: wanted, body)
    }
    guard var bytes = base.withBytes(in: wanted, { $0.copiedBytes() }) else { return nil }
    for (address, word) in before[first...] {
      guard address < start &+ wanted.byteCount else { break }
      for offset in 0..<8 as Range<UInt64> where address &+ offset >= start {
        let index = address &+ offset &- start
        if index < wanted.byteCount {
          bytes[Int(index)] = UInt8(truncatingIfNeeded: word.littleEndian &>> (offset &* 8))
        }
      }
    }
    return try bytes.withRawSpan(body)
  }

  func withWords<Result: ~Copyable, Failure: Error>(
    at address: PhysicalAddress, count: Int,
    _ body: (borrowing MemoryWords) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // SAFETY: `count` words that live until this returns, all of them initialized here.
    let copy = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: max(count, 1))
    defer { unsafe copy.deallocate() }
    unsafe copy.initialize(repeating: 0)
    let wanted = PhysicalRange(checkedStart: address, byteCount: UInt64(count) &* 8)
    if let wanted {
      _ = withBytes(in: wanted) { bytes in
        for index in 0..<count { unsafe copy[index] = bytes.word(atByte: index &* 8) ?? 0 }
      }
    }
    return try body(
      unsafe MemoryWords(base: UnsafeMutableRawPointer(copy.baseAddress!), count: count))
  }

  func withMutableBytes<Result: ~Copyable, Failure: Error>(
    in wanted: PhysicalRange, _ body: (inout MutableRawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    preconditionFailure("a store to memory that is only read")
  }
}

/// The memory of a collection that is only looked at.
struct InspectedStorage<Base: PhysicalMemory>: ~Copyable, PersistentStorage {
  let memory: BoundedView<Base>

  mutating func allocate(
    byteCount: UInt64, zeroed: Bool, announce: (PhysicalRange) -> Void
  ) throws(PersistentCollectionError) -> PhysicalRange { throw .limitReached }

  mutating func freeIfAllocated(
    _ range: PhysicalRange
  ) throws(PersistentCollectionError) { throw .limitReached }
}
