extension OwnerAccounts {
  /// How much some accounts have together; bytes stop at 2^64 − 1.
  public struct Sum: Hashable, Sendable {
    /// The number of entries.
    public private(set) var entryCount: UInt64 = 0
    /// Their bytes.
    public private(set) var byteCount: UInt64 = 0
    /// How many of the bytes the owners' records name.
    public private(set) var claimedByteCount: UInt64 = 0

    /// No accounts.
    public init() {}

    /// One account.
    public init(_ account: Account) { add(account) }

    /// Adds an account.
    public mutating func add(_ account: Account) {
      entryCount &+= account.entryCount
      // In a broken tree the entries may have more than 2^64 bytes.
      byteCount = byteCount.addingSaturated(account.byteCount)
      claimedByteCount = claimedByteCount.addingSaturated(account.claimedByteCount)
    }
  }

  /// The sums over all uses of a holder, in the order in which the records name the holders.
  ///
  /// - Complexity: O(accounts).
  public var sumsByHolder: [(holder: MemoryOwner.Holder, sum: Sum)] {
    var numbers: [MemoryOwner.Holder: Int] = [:]
    var sums: [(holder: MemoryOwner.Holder, sum: Sum)] = []
    for account in accounts {
      guard let holder = account.owner?.holder else { continue }
      let number = numbers[holder] ?? sums.count
      if number == sums.count {
        numbers[holder] = number
        sums.append((holder, Sum()))
      }
      sums[number].sum.add(account)
    }
    return sums
  }
}
