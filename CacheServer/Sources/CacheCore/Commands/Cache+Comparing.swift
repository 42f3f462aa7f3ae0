internal import PersistentCollections
internal import RESP

// Comparing and changing in one step, for locks without scripts: `DELIFEQ` and `SET … IFEQ` as Valkey names
// them, `DELEX` and `SET … IFEQ | IFNE` as Redis does.

extension Cache {
  /// Whether the value of `key` is `expected`; nil if the cache does not contain the key.
  mutating func isValue(
    of key: RawSpan, _ expected: RawSpan
  ) throws(CommandError) -> Bool? {
    let expected = expected.array
    return try withValue(of: key, touches: false) { value, _ in
      value.hasSameBytes(as: expected.rawSpan)
    }
  }

  /// `DELIFEQ key value`.
  mutating func deleteIfEqual(
    _ key: RawSpan, _ expected: RawSpan, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    guard try isValue(of: key, expected) == true else {
      reply.integer(0)
      return
    }
    try delete(key)
    reply.integer(1)
  }

  /// `DELEX key [IFEQ value | IFNE value]`.
  mutating func deleteConditionally(
    _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let key = request[1]
    guard request.count == 2 || request.count == 4 else { throw .count(of: "delex") }
    guard try deadline(at: key) != nil else {
      reply.integer(0)
      return
    }
    if request.count == 4 {
      let isWanted = request[2].isWord("ifeq")
      guard isWanted || request[2].isWord("ifne") else { throw .syntax }
      guard try isValue(of: key, request[3]) == isWanted else {
        reply.integer(0)
        return
      }
    }
    try delete(key)
    reply.integer(1)
  }
}
