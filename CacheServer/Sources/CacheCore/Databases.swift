internal import PersistentCollections
internal import RESP

// Keys of all databases are in one map. Those of database 0 are there as they are; before the others is a
// byte that names the database, and before keys of database 0 that begin with such a byte is a 0:
//
//     0            a key of database 0 that begins with a byte below 0x20 follows
//     1 … 15       a key of that database follows
//     16           a key of the memcached protocol follows
//     17 … 31      not in use
//     above        the key itself, of database 0
//
// So the common case costs nothing, and no two keys are the same.

/// How many entries the databases have, and which of them clients mean by which number.
struct Databases: Equatable {
  /// How many databases clients can select.
  static let count = 16
  /// The stored number of what the memcached protocol stores.
  static let memcached: UInt8 = 16
  /// Keys that begin with a lower byte have another byte before them.
  static let firstPlainByte: UInt8 = 0x20

  /// How many entries each has, by its stored number; that of 0 is not counted.
  private(set) var entryCounts = [UInt64](repeating: 0, count: 17)
  /// How many of them have a deadline.
  private(set) var deadlineCounts = [UInt64](repeating: 0, count: 17)
  /// The stored number of the database that clients call 0, 1, …: four bits each, from the lowest on.
  var numbers: UInt64 = 0xfedc_ba98_7654_3210

  /// The stored number of a database.
  func storedNumber(of database: Int) -> UInt8 { UInt8(numbers >> UInt64(database * 4) & 15) }

  /// Whether the database that clients call 0 is the one whose keys are stored without a byte before them.
  var isFirstInPlace: Bool { numbers & 15 == 0 }

  /// Exchanges two databases.
  mutating func swap(_ first: Int, _ second: Int) {
    let change = UInt64(storedNumber(of: first) ^ storedNumber(of: second))
    numbers ^= change << UInt64(first * 4) | change << UInt64(second * 4)
  }

  /// Whether only database 0, as it is stored, has entries.
  var isSingle: Bool { entryCounts.allSatisfy { $0 == 0 } }

  /// The stored number of the database that a key of the map belongs to.
  @inline(__always)
  static func number(of key: RawSpan) -> UInt8 {
    guard key.byteCount > 0, key[0] < firstPlainByte else { return 0 }
    return min(key[0], memcached)
  }

  /// Counts entries that were added or removed, or whose deadline was set or removed.
  @inline(__always)
  mutating func count(_ key: RawSpan, entries: Int, deadlines: Int) {
    let number = Int(Self.number(of: key))
    guard number != 0 else { return }
    entryCounts[number] &+= UInt64(bitPattern: Int64(entries))
    deadlineCounts[number] &+= UInt64(bitPattern: Int64(deadlines))
  }

  /// How many entries a database has.
  ///
  /// - Parameter number: the stored number of the database.
  /// - Parameter all: the entries of all databases.
  func entryCount(_ number: UInt8, of all: UInt64) -> UInt64 {
    number == 0 ? all &- entryCounts.reduce(0, &+) : entryCounts[Int(number)]
  }

  /// How many entries of a database have a deadline.
  ///
  /// - Parameter number: the stored number of the database.
  /// - Parameter all: the entries with a deadline of all databases.
  func deadlineCount(_ number: UInt8, of all: UInt64) -> UInt64 {
    number == 0 ? all &- deadlineCounts.reduce(0, &+) : deadlineCounts[Int(number)]
  }

  mutating func setCounts(_ entries: [UInt64], _ deadlines: [UInt64]) {
    entryCounts = entries
    deadlineCounts = deadlines
  }

  /// Forgets all entries.
  mutating func clear() {
    entryCounts = [UInt64](repeating: 0, count: 17)
    deadlineCounts = [UInt64](repeating: 0, count: 17)
  }

  /// The key in the map for `name` in the database of that stored number.
  static func key(_ name: RawSpan, in number: UInt8) -> [UInt8] {
    let needsByte = number != 0 || (name.byteCount > 0 && name[0] < firstPlainByte)
    return (needsByte ? [number] : []) + name.array
  }

  /// The name that clients know a key of the map by.
  @_lifetime(copy key)
  static func name(of key: RawSpan) -> RawSpan {
    guard key.byteCount > 0, key[0] < firstPlainByte else { return key }
    return key.extracting(1..<key.byteCount)
  }
}

extension Cache {
  /// How many entries a database has, by its stored number.
  func entryCount(_ number: UInt8) -> UInt64 {
    databases.entryCount(number, of: UInt64(map.count))
  }

  /// How many of them have a deadline.
  func deadlineCount(_ number: UInt8) -> UInt64 {
    databases.deadlineCount(number, of: deadlineCount)
  }

  /// Whether a key of the request has to be stored with a byte before it.
  @inline(__always)
  static func needsByte(_ request: borrowing Request, _ slot: CommandTable.Slot) -> Bool {
    guard slot.firstKey > 0 else { return false }
    var index = slot.firstKey
    let last = slot.lastKey < 0 ? request.count &+ slot.lastKey : slot.lastKey
    while index <= last, index < request.count {
      let key = request[index]
      if key.byteCount > 0, key[0] < Databases.firstPlainByte { return true }
      index &+= slot.keyStep
    }
    return false
  }

  /// The request with its keys as the map has them.
  func stored(
    _ request: borrowing Request, _ slot: CommandTable.Slot, _ session: borrowing Session
  ) -> Transaction.Queued {
    Self.stored(request, slot, in: databases.storedNumber(of: session.database))
  }

  private static func stored(
    _ request: borrowing Request, _ slot: CommandTable.Slot, in number: UInt8
  ) -> Transaction.Queued {
    let last = slot.lastKey < 0 ? request.count + slot.lastKey : slot.lastKey
    var arguments: [[UInt8]] = []
    for index in 0..<request.count {
      let isKey =
        index >= slot.firstKey && index <= last && (index - slot.firstKey) % slot.keyStep == 0
      arguments.append(isKey ? Databases.key(request[index], in: number) : request[index].array)
    }
    return Transaction.Queued(arguments)
  }
}
