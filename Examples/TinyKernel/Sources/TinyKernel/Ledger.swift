import MemoryAccess

/// What this kernel knows about its own memory, in a preserved table that is used in place by every
/// generation.
///
///     word 0 generation   1 number of records   2… see `Resets`   64… records of 4 words
struct Ledger {
  static let name = "ledger"
  static let byteCount: UInt64 = 16384
  static let capacity = 496

  /// Memory that goes from generation to generation, with the sum of its contents.
  struct Record {
    /// Where it starts.
    var address: PhysicalAddress
    /// How many frames.
    var frameCount: UInt64
    /// How it is preserved: see `Resets`; 0 as one block.
    var kind: UInt64 = 0
    /// The sum over its contents, or what they are made of.
    var checksum: UInt64

    var block: PhysicalBlock {
      PhysicalBlock(address: address, order: PageOrder(frameCount.trailingZeroBitCount))
    }
  }

  /// Where the table is.
  let start: PhysicalAddress
  let memory: Memory

  var range: PhysicalRange { PhysicalRange(start: start, byteCount: Self.byteCount) }

  func word(_ index: Int) -> UInt64 {
    memory.withWords(at: start, count: Int(Self.byteCount / 8)) { $0.load(index) }
  }

  func setWord(_ index: Int, _ value: UInt64) {
    memory.withWords(at: start, count: Int(Self.byteCount / 8)) { $0.publish(value, at: index) }
  }

  var generation: UInt64 {
    get { word(0) }
    nonmutating set { setWord(0, newValue) }
  }

  var count: Int {
    get { min(Int(truncatingIfNeeded: word(1)), Self.capacity) }
    nonmutating set { setWord(1, UInt64(newValue)) }
  }

  subscript(index: Int) -> Record {
    get {
      let place = 64 + 4 * index
      return Record(
        address: PhysicalAddress(word(place)), frameCount: word(place + 1), kind: word(place + 2),
        checksum: word(place + 3))
    }
    nonmutating set {
      let place = 64 + 4 * index
      setWord(place, newValue.address.rawValue)
      setWord(place + 1, newValue.frameCount)
      setWord(place + 2, newValue.kind)
      setWord(place + 3, newValue.checksum)
    }
  }

  func append(_ record: Record) {
    guard count < Self.capacity else { panic("the ledger is full") }
    self[count] = record
    count += 1
  }

  func remove(at index: Int) {
    for next in (index + 1)..<max(count, index + 1) { self[next - 1] = self[next] }
    count -= 1
  }

  /// The index of the last record that `isWanted`.
  func lastIndex(_ isWanted: (Record) -> Bool) -> Int {
    for index in (0..<count).reversed() where isWanted(self[index]) { return index }
    panic("the ledger has no such record")
  }
}
