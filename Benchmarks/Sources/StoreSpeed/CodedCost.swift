import Foundation
import KexecHandover
import Measuring
import PersistentCollections

/// What values of a `Codable` type cost, beside the same fields as a structure of numbers, and beside other
/// encoders.
enum CodedCost {
  private struct Session: Codable, Hashable {
    var user: String
    var token: [UInt8]
    var createdAt: Int64
    var deadline: Int64
    var requestCount: UInt32
    var roles: [String]
    var address: String?
  }

  private struct Numbers: Preservable, PersistentElement {
    var createdAt: Int64
    var deadline: Int64
    var first: UInt64
    var second: UInt64
    var third: UInt64
    var fourth: UInt64
  }

  private static let entryCount: UInt64 = 50_000
  private static let repetitionCount = 5

  private static func session(_ number: UInt64) -> Session {
    Session(
      user: "user \(number)", token: (0..<16).map { UInt8(truncatingIfNeeded: number &+ $0) },
      createdAt: Int64(number), deadline: Int64(number) + 3600,
      requestCount: UInt32(truncatingIfNeeded: number), roles: ["reader", "writer"],
      address: number % 2 == 0 ? "2001:db8::\(number % 65536)" : nil)
  }

  static func run() throws {
    show(
      """
      \(entryCount) sessions of 7 fields, one thread, ns of processor time each, median of \(repetitionCount); \
      load \(load())

      | | write | read | bytes of the value |
      |---|--:|--:|--:|
      """)
    let sessions = (0..<entryCount).map(session)
    let numbers = (0..<entryCount).map {
      Numbers(
        createdAt: Int64($0), deadline: Int64($0) + 3600, first: $0, second: $0, third: $0,
        fourth: $0)
    }
    try stored("map of `Coded` values") { try Coded(sessions[$0]) }
    try stored("map of structures of 6 numbers") { numbers[$0] }
    let json = JSONEncoder()
    let jsonBack = JSONDecoder()
    try encoded("JSONEncoder alone", sessions, { try json.encode($0) }) {
      try jsonBack.decode(Session.self, from: $0)
    }
    let list = PropertyListEncoder()
    list.outputFormat = .binary
    let listBack = PropertyListDecoder()
    try encoded("PropertyListEncoder alone, binary", sessions, { try list.encode($0) }) {
      try listBack.decode(Session.self, from: $0)
    }
  }

  private static func stored<Value: PersistentElement>(
    _ name: String, _ value: (Int) throws -> Value
  ) throws {
    var byteCount = 0
    var times: (write: [Double], read: [Double]) = ([], [])
    for _ in 0..<repetitionCount {
      let store = try PersistentStore(
        PreservedMemory(creating: .memfd(name: "coded"), byteCount: 1 << 26))
      let map = try store.map("map", of: (UInt64.self, Value.self))
      times.write.append(
        try processorTime {
          byteCount = 0
          for number in 0..<Int(entryCount) {
            let value = try value(number)
            byteCount += value.persistentByteCount
            try map.set(value, for: key(UInt64(number)))
          }
        })
      times.read.append(
        try processorTime {
          for number in 0..<entryCount {
            guard try map[key(number)] != nil else {
              throw PeerFailure(reason: "\(name): entry \(number) is missing")
            }
          }
        })
    }
    report(name, times.write, times.read, byteCount)
  }

  private static func encoded(
    _ name: String, _ values: [Session], _ encode: (Session) throws -> Data,
    _ decode: (Data) throws -> Session
  ) throws {
    var times: (write: [Double], read: [Double]) = ([], [])
    var data: [Data] = []
    for _ in 0..<repetitionCount {
      times.write.append(try processorTime { data = try values.map(encode) })
      times.read.append(
        try processorTime {
          for (index, encoded) in data.enumerated() {
            guard try decode(encoded) == values[index] else {
              throw PeerFailure(reason: "\(name): value \(index) differs after decoding")
            }
          }
        })
    }
    report(name, times.write, times.read, data.reduce(0) { $0 + $1.count })
  }

  private static func report(
    _ name: String, _ write: [Double], _ read: [Double], _ byteCount: Int
  ) {
    let count = Double(entryCount)
    show(
      "| \(name) "
        + String(
          format: "| %.0f | %.0f | %.0f |", (median(write) ?? .nan) / count,
          (median(read) ?? .nan) / count, Double(byteCount) / count))
  }
}
