/// How much of the preserved memory each owner has.
///
/// The sums over all accounts and ``unowned`` are the handover's own numbers.
public struct OwnerAccounts: Sendable {
  /// The memory of one owner.
  public struct Account: Hashable, Sendable {
    /// The owner of the account; nil for unclaimed bytes.
    public let owner: MemoryOwner?
    /// The number of entries; one that several share counts as the first one's.
    public fileprivate(set) var entryCount: UInt64 = 0
    /// The bytes of the entries, or of the owner's part of them.
    public fileprivate(set) var byteCount: UInt64 = 0
    /// How many of the bytes the owner's records name; the rest only comes with the entries.
    public fileprivate(set) var claimedByteCount: UInt64 = 0
    /// How many of the bytes another claims too, or the owner twice.
    public fileprivate(set) var disputedByteCount: UInt64 = 0

    fileprivate init(_ owner: MemoryOwner?) { self.owner = owner }
  }

  /// The owners that have memory, in the order in which the records name them.
  public var accounts: [Account] { numbered.filter { $0.byteCount > 0 } }
  /// The unclaimed bytes.
  public private(set) var unowned = Account(nil)
  /// The first stretches that two claim, or one twice, in the order of their addresses.
  public private(set) var disputes: [OwnedRun] = []
  /// The number of further accounts.
  public private(set) var omittedDisputeCount: UInt64 = 0

  /// Accounts by the number of the owner.
  private var numbered: [Account] = []

  /// The most owners that are distinguished.
  public static var ownerLimit: Int { 1 << 16 }
  /// The most disputes that are kept.
  public static var disputeLimit: Int { 32 }
  /// How many stretches of claimed memory are kept at a time, unless something else is asked for.
  public static var defaultClaimLimit: Int { 1 << 19 }

  init() {}

  mutating func add(_ run: NumberedRun, _ table: OwnerTable) {
    guard run.owner != OwnerTable.none else {
      unowned.add(run)
      return
    }
    while numbered.count <= Int(run.owner) {
      numbered.append(Account(table.owners[numbered.count]))
    }
    numbered[Int(run.owner)].add(run)
    guard run.other != OwnerTable.none else { return }
    if disputes.count < Self.disputeLimit {
      disputes.append(run.named(by: table))
    } else {
      omittedDisputeCount &+= 1
    }
  }

  /// Adds unclaimed entries.
  mutating func addUnowned(entryCount: UInt64, byteCount: UInt64) {
    unowned.entryCount &+= entryCount
    unowned.byteCount = unowned.byteCount.addingSaturated(byteCount)
  }

  /// The number of all entries.
  public var entryCount: UInt64 {
    numbered.reduce(unowned.entryCount) { $0 &+ $1.entryCount }
  }

  /// The bytes of all entries; at most 2^64 − 1.
  public var byteCount: UInt64 {
    numbered.reduce(unowned.byteCount) { $0.addingSaturated($1.byteCount) }
  }

  /// How many bytes two claim, or one twice.
  public var disputedByteCount: UInt64 {
    numbered.reduce(0) { $0.addingSaturated($1.disputedByteCount) }
  }
}

extension OwnerAccounts.Account {
  fileprivate mutating func add(_ run: NumberedRun) {
    entryCount &+= run.entryCount
    byteCount = byteCount.addingSaturated(run.byteCount)
    claimedByteCount = claimedByteCount.addingSaturated(run.claimedByteCount)
    if run.other != OwnerTable.none {
      disputedByteCount = disputedByteCount.addingSaturated(run.byteCount)
    }
  }
}
