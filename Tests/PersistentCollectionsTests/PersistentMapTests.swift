import HandoverTestSupport
import KexecHandover
import PersistentCollections
import Testing

@Suite(.namesCombination) struct PersistentMapTests {
  struct Account: Preservable, PersistentElement, Equatable {
    var cents: Int64
    var changedAt: UInt64
  }

  private func memory() throws -> PreservedMemory {
    try PreservedMemory(creating: .memfd(name: "map"), byteCount: 1 << 20, growableTo: 1 << 28)
  }

  @Test func structuresByName() throws {
    var accounts = try PersistentMap<String, Account>.open(memory())
    for number in 0..<100 {
      let isNew = try accounts.setValue(
        Account(cents: Int64(-number), changedAt: UInt64(number)), of: "Kontonummer \(number) ü")
      #expect(isNew)
    }
    #expect(try !accounts.setValue(Account(cents: 7, changedAt: 8), of: "Kontonummer 5 ü"))
    let preserved = accounts.close()
    let file = preserved.file
    _ = consume preserved
    var again = try PersistentMap<String, Account>.open(PreservedMemory(adopting: file))
    #expect(again.count == 100)
    #expect(try again.value(of: "Kontonummer 5 ü") == Account(cents: 7, changedAt: 8))
    #expect(try again.value(of: "Kontonummer 99 ü") == Account(cents: -99, changedAt: 99))
    #expect(try again.value(of: "Kontonummer 100 ü") == nil)
    #expect(try again.removeValue(of: "Kontonummer 7 ü"))
    #expect(try !again.removeValue(of: "Kontonummer 7 ü"))
    var sum: Int64 = 0
    try again.forEach { _, account in sum += account.cents }
    #expect(sum == -4950 + 5 + 7 + 7)
  }

  @Test func transactionsMoveWholeAmounts() throws {
    var accounts = try PersistentMap<UInt32, Int64>.open(memory())
    try accounts.setValue(100, of: 1)
    try accounts.setValue(100, of: 2)
    #expect(throws: PersistentCollectionError.limitReached) {
      try accounts.transaction { (accounts) throws(PersistentCollectionError) in
        try accounts.setValue(0, of: 1)
        // The caller's own reason.
        throw .limitReached
      }
    }
    #expect(try accounts.value(of: 1) == 100)
    try accounts.transaction { (accounts) throws(PersistentCollectionError) in
      try accounts.setValue(50, of: 1)
      try accounts.setValue(150, of: 2)
    }
    #expect(try accounts.value(of: 1) == 50)
    #expect(try accounts.value(of: 2) == 150)
  }

  /// Opening a map with other types fails.
  @Test func otherTypesAreNoticed() throws {
    var numbers = try PersistentMap<UInt32, UInt32>.open(memory())
    try numbers.setValue(5, of: 6)
    let preserved = numbers.close()
    let file = preserved.file
    _ = consume preserved
    var wider = try PersistentMap<UInt32, UInt64>.open(PreservedMemory(adopting: file))
    do {
      _ = try wider.value(of: 6)
      Issue.record("a value of half the size was read")
    } catch {
      guard case .damaged(let address) = error else { throw error }
      #expect(address != .zero)
    }
    #expect(throws: PersistentCollectionError.self) { try wider.forEach { _, _ in } }
  }
}
