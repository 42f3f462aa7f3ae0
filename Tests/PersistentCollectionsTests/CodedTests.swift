import Foundation
import HandoverTestSupport
import KexecHandover
import Testing

@testable import PersistentCollections

private struct Address: Codable, Equatable {
  var street: String
  var number: UInt16?
}

private enum Role: String, Codable { case admin, guest }
private enum Event: Codable, Equatable {
  case login(at: Date, from: String)
  case logout
}

private struct User: Codable, Equatable {
  var name: String
  var age: Int8
  var balance: Double
  var ratio: Float
  var isActive: Bool
  var logins: [UInt64]
  var addresses: [String: Address]
  var role: Role
  var events: [Event]
  var motto: String?
  var id: UUID
}

/// A later version of the type: a property less, one more, one of another integer type.
private struct LaterUser: Codable, Equatable {
  var name: String
  var age: Int
  var nickname: String?
  var events: [Event]
}

private class Animal: Codable {
  var legs = 4
}

private final class Bird: Animal {
  var wings = 2
  private enum CodingKeys: CodingKey { case wings }
  override init() { super.init() }
  required init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    wings = try container.decode(Int.self, forKey: .wings)
    try super.init(from: container.superDecoder())
  }
  override func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(wings, forKey: .wings)
    try super.encode(to: container.superEncoder())
  }
}

private indirect enum Nest: Codable { case end, more(Nest) }

/// `Codable` values in a store.
@Suite(.namesCombination) struct CodedTests {
  private func user(_ number: Int) -> User {
    User(
      name: "user \(number) é\u{0}", age: -5, balance: .pi * Double(number), ratio: 0.1,
      isActive: number.isMultiple(of: 2), logins: [0, 1, 127, 128, .max],
      addresses: ["home": Address(street: "a", number: nil), "": Address(street: "", number: 9)],
      role: .guest,
      events: [.logout, .login(at: Date(timeIntervalSince1970: 1.5), from: "here")],
      motto: number.isMultiple(of: 3) ? "m" : nil, id: UUID())
  }

  private func decoded<Value: Codable>(_ value: Value) throws -> Value? {
    let coded = try Coded(value)
    return coded.bytes.withRawSpan { Coded<Value>(persistentBytes: $0)?.value }
  }

  @Test func valuesComeBack() throws {
    for number in 0..<12 {
      let user = user(number)
      #expect(try decoded(user) == user)
      #expect(try decoded([user, user]) == [user, user])
    }
    #expect(try decoded(["a": [1: 2.5]]) == ["a": [1: 2.5]])
    #expect(try decoded(nil as Int?) == .some(nil))
    #expect(try decoded([Int.min, .max, 0, -1]) == [Int.min, .max, 0, -1])
    #expect(try decoded([nil, 3, nil] as [UInt8?]) == [nil, 3, nil])
    #expect(try decoded([[], [[1]], []] as [[[Int16]]]) == [[], [[1]], []])
    let bird = Bird()
    bird.legs = 2
    let found = try #require(try decoded(bird))
    #expect(found.legs == 2 && found.wings == 2)
  }

  @Test func numbersTakeFewBytes() throws {
    #expect(try Coded(7).bytes.count == 2)
    #expect(try Coded(-64).bytes.count == 2)
    #expect(try Coded(UInt64.max).bytes.count == 11)
    #expect(try Coded("text").bytes == [7, 4] + Array("text".utf8))
    #expect(try Coded(["k": true]).bytes == [9, 1, 1] + Array("k".utf8) + [2])
  }

  @Test func laterVersionsOfATypeDecode() throws {
    let old = user(1)
    let coded = try Coded(old)
    let later = try #require(coded.bytes.withRawSpan { Coded<LaterUser>(persistentBytes: $0) })
    #expect(
      later.value == LaterUser(name: old.name, age: -5, nickname: nil, events: old.events))
    #expect(coded.bytes.withRawSpan { Coded<[Int]>(persistentBytes: $0) } == nil)
    let large = try Coded(300)
    #expect(large.bytes.withRawSpan { Coded<UInt8>(persistentBytes: $0) } == nil)
  }

  @Test func inAStore() throws {
    let store = try PersistentStore(
      PreservedMemory(creating: .memfd(name: "coded"), byteCount: 1 << 20, growableTo: 1 << 26))
    let users = try store.map("users", of: (UInt64.self, Coded<User>.self))
    let log = try store.log("log", of: Coded<Event>.self)
    let all = (0..<100).map { user($0) }
    for (number, user) in all.enumerated() {
      try users.set(Coded(user), for: UInt64(number))
      try log.append(Coded(user.events[1]))
    }
    for (number, user) in all.enumerated() {
      #expect(try users[UInt64(number)]?.value == user)
      #expect(try log[UInt64(number)]?.value == user.events[1])
    }
    // Bytes of another type are damage, and not a trap.
    let strings = try store.map("strings", of: (UInt64.self, Coded<String>.self))
    try strings.set(Coded("x"), for: 1)
    let wrong = try store.map("strings", of: (UInt64.self, Coded<User>.self))
    #expect(throws: PersistentCollectionError.self) { _ = try wrong[1] }
  }

  /// Bytes that another program wrote: a value or nil, no trap, and no more memory than they have.
  @Test(arguments: 0..<4)
  func hostileBytes(seed: Int) throws {
    var generator = SeededGenerator(seed: UInt64(seed))
    let sound = try Coded(user(seed)).bytes
    for _ in 0..<4000 {
      var bytes = sound
      for _ in 0...generator.index(below: 4) {
        let index = generator.index(below: bytes.count)
        switch generator.index(below: 4) {
        case 0: bytes[index] = UInt8(truncatingIfNeeded: generator.next())
        case 1: bytes[index] ^= 1 << UInt8(generator.index(below: 8))
        case 2: bytes.removeSubrange(index...)
        default: bytes.insert(UInt8(generator.index(below: 10)), at: index)
        }
        if bytes.isEmpty { bytes = [9] }
      }
      bytes.withRawSpan { bytes in
        _ = Coded<User>(persistentBytes: bytes)
        if let value = CodedValue(parsing: bytes) {
          // What is read is written again as the same value.
          value.bytes.withRawSpan { #expect(CodedValue(parsing: $0) == value) }
        }
      }
    }
    // A count without elements behind it, and arrays within each other without end.
    for bytes in [
      [8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1], [9, 200, 1], [7, 90, 1],
      [UInt8](repeating: 8, count: 100_000),
      Array(repeating: [8, 1], count: 50_000).flatMap { $0 },
      [3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2], [], [10],
    ] as [[UInt8]] {
      bytes.withRawSpan { #expect(CodedValue(parsing: $0) == nil) }
    }
  }

  @Test func valuesTooDeepAreRefused() throws {
    var nest = Nest.end
    for _ in 0..<20 { nest = .more(nest) }
    _ = try Coded(nest)
    for _ in 0..<300 { nest = .more(nest) }
    #expect(throws: EncodingError.self) { _ = try Coded(nest) }
  }

  /// Arrays without a value between them, as a type's own `encode(to:)` can make them.
  private struct Arrays: Codable {
    let depth: Int

    func encode(to encoder: any Encoder) throws {
      var container = encoder.unkeyedContainer()
      for _ in 0..<depth { container = container.nestedUnkeyedContainer() }
    }

    init(depth: Int) { self.depth = depth }
    init(from decoder: any Decoder) throws { depth = 0 }
  }

  @Test func containersTooDeepAreRefused() throws {
    _ = try Coded(Arrays(depth: 100))
    #expect(throws: EncodingError.self) { _ = try Coded(Arrays(depth: 200)) }
  }

  /// A name that is encoded twice has the value of the second time, in the place of the first.
  private struct Twice: Codable {
    private enum Key: CodingKey { case first, second }

    init() {}
    init(from decoder: any Decoder) throws {}

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(1, forKey: .first)
      try container.encode(2, forKey: .second)
      try container.encode(3, forKey: .first)
    }
  }

  @Test func namesAreStoredOnce() throws {
    try Coded(Twice()).bytes.withRawSpan {
      #expect(
        CodedValue(parsing: $0) == .object([("first", .signed(3)), ("second", .signed(2))]))
    }
  }
}
