import Handover
import MemoryAccess

/// The owners of a handover, the largest of them by name.
public struct MapOwners: Sendable {
  /// An owner, and what it has.
  public struct Owner: Sendable {
    /// The owner for people.
    public let title: String
    /// The number of its entries.
    public let entryCount: UInt64
    /// The number of its bytes.
    public let byteCount: UInt64
  }

  /// How many are distinguished.
  public static let limit = 240

  /// By size, the largest first; at the end, if there are more, the rest as one.
  public private(set) var owners: [Owner] = []
  private var numbers: [MemoryOwner: Int] = [:]
  private var restNumber: Int?
  private var unownedNumber: Int?

  /// The owners of `accounts`, those with the most bytes first.
  public init(_ accounts: OwnerAccounts) {
    var named = accounts.accounts
    if accounts.unowned.byteCount > 0 { named.append(accounts.unowned) }
    named.sort { $0.byteCount > $1.byteCount }
    for account in named.prefix(Self.limit) {
      if let owner = account.owner {
        numbers[owner] = owners.count
      } else {
        unownedNumber = owners.count
      }
      owners.append(
        Owner(
          title: account.owner.map(\.mapTitle) ?? "no owner", entryCount: account.entryCount,
          byteCount: account.byteCount))
    }
    let rest = named.dropFirst(Self.limit)
    guard !rest.isEmpty else { return }
    restNumber = owners.count
    owners.append(
      Owner(
        title: "\(rest.count) smaller owners",
        entryCount: rest.reduce(0) { $0 &+ $1.entryCount },
        byteCount: rest.reduce(0) { $0 &+ $1.byteCount }))
  }

  /// The number of `owner`; nil means memory without an owner.
  public func number(of owner: MemoryOwner?) -> Int {
    let number = owner.map { numbers[$0] } ?? unownedNumber
    return number ?? restNumber ?? -1
  }
}

extension MemoryOwner {
  /// The owner in a few words.
  fileprivate var mapTitle: String {
    switch (holder, use) {
    case (.handover, _): "root device tree"
    case (.further, _): "further owners"
    case (.record(let owner), .blob): "\(owner.mapTitle), blob"
    case (.record(let owner), .referred(let role)): "\(owner.mapTitle), \(role.mapTitle)"
    case (.record(let owner), .presumed): "\(owner.mapTitle), presumably"
    case (.record(let owner), _): owner.mapTitle
    }
  }
}

extension RecordOwner {
  fileprivate var mapTitle: String {
    switch self {
    case .subtree(let name): printable(name)
    case .region(let name): "reserve_mem \(printable(name))"
    case .session(let name): "session \(printable(name))"
    case .file(let session, let token): "session \(printable(session)), file \(token)"
    case .sharedData(let name): "shared data \(printable(name))"
    case .collection(let name): "collection \(printable(name))"
    }
  }
}

extension RecordReference.Role {
  fileprivate var mapTitle: String {
    switch self {
    case .region: "region"
    case .chunk: "vmalloc chunks"
    case .area: "vmalloc area"
    case .records: "records"
    case .folio: "folios"
    case .piece: "entries"
    }
  }
}
