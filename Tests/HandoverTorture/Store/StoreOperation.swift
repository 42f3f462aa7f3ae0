import HandoverDemo
import KHOCommands

/// What is done to one collection.
struct StoreChange: Equatable {
  enum Action: Equatable {
    /// A map gets a value, a log an entry, a value another one; a counter is counted up.
    case put
    /// A map gets bytes at the end of a value; otherwise as ``put``.
    case extend
    /// A map loses a value, a log its first entries; a value becomes empty; a counter is counted down.
    case take
  }

  let collection: Int
  let action: Action
  let key: UInt64
  let byteCount: Int
  let seed: UInt64

  /// The bytes that are stored.
  var bytes: [UInt8] {
    var random = SplitMix(seed: seed)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(byteCount + 8)
    while bytes.count < byteCount {
      var word = random.next()
      for _ in 0..<8 {
        bytes.append(UInt8(truncatingIfNeeded: word))
        word >>= 8
      }
    }
    bytes.removeLast(bytes.count - byteCount)
    return bytes
  }
}

/// What a process does in one step, which a crash leaves completely or not at all.
enum StoreOperation: Equatable {
  /// One change.
  case single(StoreChange)
  /// Changes of several collections in a transaction.
  case together([StoreChange])
  /// A transaction that its caller ends with an error.
  case aborted([StoreChange])
  /// A collection is removed with all its memory, and made again.
  case removal(Int)
  /// A map loses all entries.
  case clearing(Int)
  /// A region with a name that no collection has comes, or goes.
  case region(UInt64)

  /// The operation with a number.
  init(_ number: UInt64, seed: UInt64, collectionCount: Int) {
    var random = SplitMix(seed: SplitMix.mixed(seed ^ number &* 0x9e37_79b9_7f4a_7c15))
    func change() -> StoreChange {
      let actions: [StoreChange.Action] = [.put, .put, .put, .extend, .take, .take]
      let size: Int
      switch random.next() % 40 {
      case 0: size = Int(33_000 + random.next() % 30_000)
      case 1...4: size = Int(random.next() % 5000)
      default: size = Int(random.next() % 90)
      }
      return StoreChange(
        collection: Int(random.next() % UInt64(collectionCount)),
        action: actions[Int(random.next() % 6)], key: random.next() % 40, byteCount: size,
        seed: random.next())
    }
    func changes() -> [StoreChange] { (0..<2 + random.next() % 7).map { _ in change() } }
    switch random.next() % 64 {
    case 0: self = .removal(Int(random.next() % UInt64(collectionCount)))
    case 1: self = .clearing(Int(random.next() % UInt64(collectionCount)))
    case 2...4: self = .region(random.next() % 3)
    case 5...9: self = .aborted(changes())
    case 10...34: self = .together(changes())
    default: self = .single(change())
    }
  }

  static let titles = [
    "change", "transaction", "aborted transaction", "removal", "clearing", "region",
  ]

  var title: String {
    switch self {
    case .single: Self.titles[0]
    case .together: Self.titles[1]
    case .aborted: Self.titles[2]
    case .removal: Self.titles[3]
    case .clearing: Self.titles[4]
    case .region: Self.titles[5]
    }
  }
}
