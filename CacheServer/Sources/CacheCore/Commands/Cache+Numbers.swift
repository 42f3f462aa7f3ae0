internal import RESP

extension Cache {
  /// `INCR key` and its relatives.
  mutating func increment(
    _ key: RawSpan, by amount: Int64, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let found = try withValue(of: key) { value, deadline in
      (number: Int64(decimal: value), deadline: deadline)
    }
    var old: Int64 = 0
    if let found {
      guard let number = found.number else { throw .notInteger }
      old = number
    }
    let (new, overflow) = old.addingReportingOverflow(amount)
    guard !overflow else { throw .overflow }
    let digits = DecimalDigits(new)
    try store(digits.bytes, at: key, deadline: found?.deadline ?? 0)
    reply.integer(new)
  }

  /// `DECRBY key amount`.
  mutating func decrement(
    _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let amount = try Self.integer(request[2])
    guard amount != .min else { throw .sentence("ERR decrement would overflow") }
    try increment(request[1], by: -amount, &reply)
  }

  /// `INCRBYFLOAT key amount`.
  mutating func incrementFloat(
    _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let key = request[1]
    let found = try withValue(of: key) { value, deadline in (value.array, deadline) }
    var old: LongDouble = 0
    if let found {
      guard let number = LongDouble(text: found.0) else {
        throw .sentence("ERR value is not a valid float")
      }
      old = number
    }
    guard let amount = LongDouble(text: request[2].array) else {
      throw .sentence("ERR value is not a valid float")
    }
    let sum = old + amount
    guard sum.isFinite else {
      throw .sentence("ERR increment would produce NaN or Infinity")
    }
    let text = sum.shortText
    try store(text.rawSpan, at: key, deadline: found?.1 ?? 0)
    reply.bulk(text.rawSpan)
  }
}
