/// Makes commands of every kind for the keys of one client.
///
/// A key is of one kind for good: every eighth is a number, every eighth ends soon, every eighth is large.
/// Keys that end soon are never built upon, so that it never matters whether they had ended.
public struct CommandGenerator: Sendable {
  /// What the commands are like.
  public struct Style: Sendable {
    /// The longest value of most keys, in bytes.
    public var smallByteLimit = 400
    /// The longest value of large keys.
    public var largeByteLimit = 200_000
    /// Whether keys may be gone, so that nothing is built upon what they hold.
    public var mayBeEvicted = false

    /// The usual.
    public init() {}
  }

  /// The number of keys.
  public let keyCount: Int
  private let client: UInt64
  private let style: Style
  private var random: SplitMix
  private var version: UInt64 = 0
  /// How many pieces were added since the key was set.
  private var pieceCounts: [Int]

  /// For the keys 0 to `keyCount` of a client.
  public init(client: Int, keyCount: Int, seed: UInt64, style: Style = Style()) {
    self.client = UInt64(client)
    self.keyCount = keyCount
    self.style = style
    random = SplitMix(seed: Pattern.seed(seed, UInt64(client)))
    pieceCounts = [Int](repeating: 0, count: keyCount)
  }

  /// The name of a key.
  public func name(of key: Int) -> [UInt8] { Array("\(client):\(key)".utf8) }

  /// The next command, at that time in milliseconds since 1970.
  public mutating func next(at time: UInt64) -> WriteCommand {
    let key = random.number(below: keyCount)
    switch key % 8 {
    case 0 where !style.mayBeEvicted: return number(key)
    case 1: return soonGone(key)
    case 2:
      // Most of the time something else is written than large values.
      return random.isOne(in: 4) ? write(key, style.largeByteLimit, time) : .get(key)
    default: return write(key, style.smallByteLimit, time)
    }
  }

  private mutating func piece(_ key: Int, _ limit: Int) -> CacheEntry.Piece {
    version += 1
    return .init(
      seed: Pattern.seed(client << 32 | UInt64(key), version), count: random.size(upTo: limit))
  }

  private mutating func number(_ key: Int) -> WriteCommand {
    switch random.number(below: 12) {
    case 0: .delete([key])
    case 1: .get(key)
    case 2: .increment(key, by: Int64(random.number(below: 1 << 40)) - 1 << 39)
    default: .increment(key, by: 1)
    }
  }

  private mutating func soonGone(_ key: Int) -> WriteCommand {
    switch random.number(below: 8) {
    case 0: return .delete([key])
    case 1, 2: return .get(key)
    default:
      let pair = WriteCommand.Pair(key: key, piece: piece(key, style.smallByteLimit))
      return .set(pair, lifetime: UInt64(1 + random.size(upTo: 2000)))
    }
  }

  private mutating func write(_ key: Int, _ limit: Int, _ time: UInt64) -> WriteCommand {
    switch random.number(below: 20) {
    case 0, 1: return .delete([key])
    case 2: return .delete(several(key))
    case 3, 4: return .get(key)
    case 5: return .expire(key, milliseconds: 1_000_000 + UInt64(random.number(below: 9000)) * 1000)
    case 6: return .expireAt(key, time + 1_000_000 + UInt64(random.number(below: 1_000_000)))
    case 7: return .persist(key)
    case 8...10:
      let keys = several(key)
      for key in keys { pieceCounts[key] = 0 }
      return .setSeveral(keys.map { .init(key: $0, piece: piece($0, style.smallByteLimit)) })
    case 11...13 where pieceCounts[key] < 40 && !style.mayBeEvicted:
      pieceCounts[key] += 1
      return .append(.init(key: key, piece: piece(key, style.smallByteLimit)))
    default:
      pieceCounts[key] = 0
      let lifetime = random.isOne(in: 4) ? 1_000_000 + UInt64(random.number(below: 1000)) : nil
      return .set(.init(key: key, piece: piece(key, limit)), lifetime: lifetime)
    }
  }

  /// `key` and some others that are neither numbers nor end soon.
  private mutating func several(_ key: Int) -> [Int] {
    var keys = [key]
    for _ in 0..<random.number(below: 4) {
      let other = random.number(below: keyCount)
      if other % 8 > 2, !keys.contains(other) { keys.append(other) }
    }
    return keys
  }
}
