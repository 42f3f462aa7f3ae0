internal import PersistentCollections
internal import RESP

extension Cache {
  /// Under which circumstances `EXPIRE` does something.
  private struct Conditions {
    var onlyWithout = false
    var onlyWith = false
    var onlyLater = false
    var onlyEarlier = false

    init(_ request: borrowing Request) throws(CommandError) {
      for index in 3..<request.count {
        let word = request[index]
        if word.isWord("nx") {
          onlyWithout = true
        } else if word.isWord("xx") {
          onlyWith = true
        } else if word.isWord("gt") {
          onlyLater = true
        } else if word.isWord("lt") {
          onlyEarlier = true
        } else {
          throw .sentence("ERR Unsupported option \(word.text)")
        }
      }
      if onlyWithout, onlyWith || onlyLater || onlyEarlier {
        throw .sentence("ERR NX and XX, GT or LT options at the same time are not compatible")
      }
      if onlyLater, onlyEarlier {
        throw .sentence("ERR GT and LT options at the same time are not compatible")
      }
    }

    /// Whether a deadline may be put in the place of `old`, which is 0 for no deadline: later than
    /// any other.
    func allow(_ new: Int64, for old: UInt64) -> Bool {
      if onlyWithout, old != 0 { return false }
      if onlyWith, old == 0 { return false }
      if onlyLater, old == 0 || new <= Int64(old) { return false }
      if onlyEarlier, old != 0, new >= Int64(old) { return false }
      return true
    }
  }

  /// `EXPIRE key seconds [NX | XX | GT | LT]` and its relatives.
  mutating func expire(
    _ command: Command, _ request: borrowing Request, unit: TimeUnit, isAbsolute: Bool,
    _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let conditions = try Conditions(request)
    let value = try Self.integer(request[2])
    guard let deadline = unit.deadline(value, isAbsolute: isAbsolute, now: now) else {
      throw .invalidTime(command)
    }
    let key = request[1]
    guard let old = try self.deadline(at: key), conditions.allow(deadline, for: old) else {
      reply.integer(0)
      return
    }
    if deadline <= Int64(now) {
      try delete(key)
    } else {
      try setDeadline(UInt64(deadline), of: key)
    }
    reply.integer(1)
  }

  /// `TTL key` and its relatives.
  mutating func deadline(
    of key: RawSpan, unit: TimeUnit, isAbsolute: Bool, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    guard
      let deadline = try withValueRead(
        of: key, touches: false, checks: false, { _, deadline in deadline })
    else {
      reply.integer(-2)
      return
    }
    guard deadline != 0 else {
      reply.integer(-1)
      return
    }
    reply.integer(unit.count(Int64(isAbsolute ? deadline : deadline &- now)))
  }

  /// `PERSIST key`.
  mutating func persist(_ key: RawSpan, _ reply: inout ReplyWriter) throws(CommandError) {
    guard let deadline = try deadline(at: key), deadline != 0 else {
      reply.integer(0)
      return
    }
    try setDeadline(0, of: key)
    reply.integer(1)
  }
}
