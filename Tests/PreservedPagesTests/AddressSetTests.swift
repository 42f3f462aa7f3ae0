import HandoverTestSupport
import Testing

@testable import PreservedPages

/// The set that keeps readers from looking at a node twice, against the standard library's.
@Suite(.namesCombination)
struct AddressSetTests {
  @Test("numbers of every spread", arguments: [1, 4, 13, 31, 64])
  func equalsTheModel(bits: Int) throws {
    var generator = SeededGenerator(seed: UInt64(bits))
    var set = AddressSet()
    var model: Set<UInt64> = []
    #expect(!set.contains(0))
    for _ in 0..<3000 {
      // Clustered and scattered by turns; in one of eight the top bits alone differ.
      let random: UInt64 = generator.next()
      let value = generator.isOne(in: 8) ? random & ~(UInt64.max >> 8) : random >> UInt64(64 - bits)
      let probe = generator.isOne(in: 2) ? value : value ^ 1
      try #require(set.contains(probe) == model.contains(probe))
      try #require(set.insert(value) == model.insert(value).inserted)
      try #require(set.contains(value))
    }
    for value in model {
      let isNew = set.insert(value)
      try #require(!isNew)
    }
  }

  @Test("the deepest tree there can be: a number for each bit")
  func deepest() throws {
    var set = AddressSet()
    let values = [0] + (0..<64).map { (1 as UInt64) << $0 } + (0..<64).map { UInt64.max >> $0 }
    var model: Set<UInt64> = []
    for value in values { try #require(set.insert(value) == model.insert(value).inserted) }
    for value in values { try #require(set.contains(value)) }
    #expect(!set.contains(5))
  }
}
