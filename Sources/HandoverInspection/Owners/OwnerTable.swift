/// Numbers for owners, in the order in which they were met, so that a claim takes few bytes.
struct OwnerTable {
  /// The number that represents no owner.
  static var none: UInt32 { .max }

  /// The owners by number.
  private(set) var owners: [MemoryOwner] = []

  private let limit: Int
  private var numbers: [MemoryOwner: UInt32] = [:]
  /// Who was asked for last: thousands of claims of one owner follow each other.
  private var latest: (owner: MemoryOwner, number: UInt32)?

  /// - Precondition: `limit` is 1 or more; one owner more represents all others.
  init(limit: Int) {
    precondition(limit > 0 && limit < Int(Self.none), "no room for owners")
    self.limit = limit
  }

  /// The number of `owner`.
  ///
  /// - Complexity: O(1).
  mutating func number(of owner: MemoryOwner) -> UInt32 {
    if let latest, latest.owner == owner { return latest.number }
    let number = numbers[owner] ?? makeNumber(for: owners.count < limit ? owner : .further)
    latest = (owner, number)
    return number
  }

  private mutating func makeNumber(for owner: MemoryOwner) -> UInt32 {
    if let number = numbers[owner] { return number }
    let number = UInt32(owners.count)
    owners.append(owner)
    numbers[owner] = number
    return number
  }

  /// The owner with that number; nil of ``none``.
  func owner(_ number: UInt32) -> MemoryOwner? {
    number == Self.none ? nil : owners[Int(number)]
  }
}
