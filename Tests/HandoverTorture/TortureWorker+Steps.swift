import HandoverDemo
import KHOCommands
import KexecHandover

extension TortureWorker {
  /// How often each operation is chosen, while memory is being filled and while it is not.
  private static let weights: [(operation: TortureOperation, filling: UInt64, emptying: UInt64)] = [
    (.allocate, 26, 6), (.makeRegion, 14, 4), (.makeArea, 8, 2), (.makeValue, 3, 1),
    (.free, 10, 28), (.removeRegion, 6, 16), (.removeArea, 3, 9),
    (.replaceRegion, 9, 9), (.name, 6, 6), (.removeName, 4, 4), (.storeValue, 6, 6),
    (.rewrite, 6, 6), (.trim, 1, 1),
  ]

  /// Does one operation, chosen at random.
  mutating func step(_ memory: inout PreservedMemory) throws(TortureFailure) {
    if isFilling, model.objects.count > 300 { isFilling = false }
    if !isFilling, model.objects.count < 5 || random.isOne(in: 100) { isFilling = true }
    switch chooseOperation() {
    case .free: try remove(.free, &memory) { !$0.isNamed && ($0.kind == .block || $0.kind == .run) }
    case .removeRegion:
      try remove(.removeRegion, &memory) { $0.isNamed && $0.kind != .area }
    case .removeArea: try remove(.removeArea, &memory) { $0.kind == .area }
    case .makeRegion: try makeRegion(&memory)
    case .replaceRegion: try replaceRegion(&memory)
    case .makeArea: try makeArea(&memory)
    case .makeValue: try makeValue(&memory)
    case .storeValue: try storeValue(&memory)
    case .name: try name(&memory)
    case .removeName: try removeName(&memory)
    case .rewrite: try rewrite(&memory)
    case .trim:
      try perform(.ofNothing(.trim), &memory) { (memory, _) throws(PreservedMemoryError) in
        try memory.trim()
      }
    default: try allocate(&memory)
    }
  }

  private mutating func chooseOperation() -> TortureOperation {
    let weights = Self.weights.map { isFilling ? $0.filling : $0.emptying }
    var number = random.next() % weights.reduce(0, +)
    for (index, weight) in weights.enumerated() {
      if number < weight { return Self.weights[index].operation }
      number -= weight
    }
    return .allocate
  }

  /// An object that `isWanted` says yes to; nil if none exists.
  mutating func pick(_ isWanted: (TortureObject) -> Bool) -> TortureObject? {
    let objects = model.objects
    guard !objects.isEmpty else { return nil }
    let start = Int(random.next() % UInt64(objects.count))
    for offset in objects.indices {
      let object = objects[(start + offset) % objects.count]
      if isWanted(object) { return object }
    }
    return nil
  }

  /// A number of bytes: any magnitude, mostly a small one; rarely more than there can be room for.
  mutating func chooseByteCount() -> UInt64 {
    let page = UInt64(geometry.pageByteCount)
    let limit =
      random.isOne(in: 48)
      ? capacity / 2 : random.isOne(in: 4) ? min(capacity / 8, 1 << 20) : 16 * page
    return random.size(upTo: max(limit, page))
  }

  mutating func chooseOrder() -> PageOrder {
    let frameCount = (chooseByteCount() - 1) >> UInt64(geometry.shift) + 1
    return PageOrder(63 - frameCount.leadingZeroBitCount)
  }

  mutating func newObject(
    _ kind: TortureObject.Kind, isNamed: Bool, count: UInt64, order: PageOrder = .zero,
    seed: UInt64 = 0
  ) -> TortureObject {
    defer { nextIdentifier += 1 }
    return TortureObject(
      identifier: nextIdentifier, kind: kind, isNamed: isNamed, count: count, order: order,
      seed: seed)
  }

  /// A seed that is not that of zeros.
  mutating func newSeed() -> UInt64 { random.next() | 1 }
}
