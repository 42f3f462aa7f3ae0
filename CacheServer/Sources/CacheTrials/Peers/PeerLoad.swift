internal import TrialSupport

/// What a load of requests is made of.
struct PeerLoad {
  enum Kind: String, CaseIterable {
    case get = "GET"
    case set = "SET"
  }

  /// The most bytes of all requests, and of all replies.
  private static let byteLimit = 64 << 20
  /// The most keys.
  private static let keyLimit = 100_000

  let valueByteCount: Int
  let pipeline: Int
  let clientCount: Int

  private var batchCount: Int {
    let perClient = clientCount * pipeline
    return max(1, min(Self.keyLimit, Self.byteLimit / (valueByteCount + 64)) / perClient)
  }

  /// Each client has keys of its own.
  func make(_ kind: Kind, _ dialect: Dialect) -> RequestLoad {
    let value = Pattern.bytes(seed: 1, count: valueByteCount)
    return RequestLoad(clientCount: clientCount, batchCount: batchCount) {
      number, requests, replies in
      for key in number * pipeline..<(number + 1) * pipeline {
        switch kind {
        case .set:
          dialect.appendSet(Dialect.key(key), value, to: &requests)
          replies += dialect.stored
        case .get:
          requests += dialect.get(key)
          dialect.appendAnswer(Dialect.key(key), value, to: &replies)
        }
      }
    }
  }

  /// A request that every server answers with the same few bytes: for a key that does not exist.
  static func missing(_ dialect: Dialect) -> RequestLoad {
    RequestLoad(clientCount: 1, batchCount: 1) { _, requests, replies in
      requests += dialect.get(999_999_999)
      replies += Array((dialect == .resp ? "$-1\r\n" : "END\r\n").utf8)
    }
  }
}
