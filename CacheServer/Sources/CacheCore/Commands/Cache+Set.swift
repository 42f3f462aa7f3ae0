internal import PersistentCollections
internal import RESP

/// The options that follow the value in `SET`, and the key in `GETEX`.
struct StoreOptions {
  /// What happens to the deadline.
  enum Deadline {
    /// Not named: the entry has no deadline afterwards.
    case none
    /// `KEEPTTL`: the deadline stays.
    case kept
    /// `PERSIST`: the deadline is removed.
    case persisted
    /// `EX` and the like: the argument with that index contains the new time.
    case at(Int, TimeUnit, isAbsolute: Bool)

    /// Whether the same option, of this unit, sets it.
    func isTime(_ unit: TimeUnit, isAbsolute: Bool) -> Bool {
      guard case .at(_, let own, let ownIsAbsolute) = self else { return false }
      return own == unit && ownIsAbsolute == isAbsolute
    }
  }

  var deadline = Deadline.none
  var onlyIfNew = false
  var onlyIfThere = false
  var givesOld = false
  /// The argument that the value has to be, or must not be.
  var comparison: (index: Int, isEqual: Bool)?

  /// Reads the options from the argument `start` on.
  init(_ request: borrowing Request, from start: Int, of command: Command) throws(CommandError) {
    var index = start
    while index < request.count {
      let word = request[index]
      let isSet = command == .set
      // Said twice, the last one counts; two different ones are refused.
      let isFree = if case .none = deadline { true } else { false }
      let isKept = if case .kept = deadline { true } else { false }
      let isPersisted = if case .persisted = deadline { true } else { false }
      if isSet, word.isWord("nx"), !onlyIfThere, comparison == nil {
        onlyIfNew = true
      } else if isSet, word.isWord("xx"), !onlyIfNew, comparison == nil {
        onlyIfThere = true
      } else if isSet, word.isWord("ifeq") || word.isWord("ifne"), !onlyIfNew, !onlyIfThere,
        comparison == nil, index + 1 < request.count
      {
        index += 1
        comparison = (index, word.isWord("ifeq"))
      } else if isSet, word.isWord("get") {
        givesOld = true
      } else if isSet, word.isWord("keepttl"), isFree || isKept {
        deadline = .kept
      } else if !isSet, word.isWord("persist"), isFree || isPersisted {
        deadline = .persisted
      } else if index + 1 < request.count, let (unit, isAbsolute) = Self.unit(word),
        isFree || deadline.isTime(unit, isAbsolute: isAbsolute)
      {
        index += 1
        deadline = .at(index, unit, isAbsolute: isAbsolute)
      } else {
        throw .syntax
      }
      index += 1
    }
  }

  private static func unit(_ word: RawSpan) -> (TimeUnit, isAbsolute: Bool)? {
    if word.isWord("ex") { return (.seconds, false) }
    if word.isWord("px") { return (.milliseconds, false) }
    if word.isWord("exat") { return (.seconds, true) }
    if word.isWord("pxat") { return (.milliseconds, true) }
    return nil
  }
}

extension Cache {
  /// `SET key value [NX | XX | IFEQ value | IFNE value] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]`.
  @inline(__always)
  mutating func set(
    _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    guard request.count == 3 else { return try setWithOptions(request, &reply) }
    try store(request[2], at: request[1])
    reply.ok()
  }

  private mutating func setWithOptions(
    _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let options = try StoreOptions(request, from: 3, of: .set)
    let key = request[1]
    var deadline: UInt64 = 0
    if case .at(let index, let unit, let isAbsolute) = options.deadline {
      deadline = try newDeadline(request[index], unit, isAbsolute: isAbsolute, for: .set)
    }
    if options.givesOld { try get(key, &reply) }
    let old = try self.deadline(at: key)
    guard old == nil ? !options.onlyIfThere : !options.onlyIfNew else {
      if !options.givesOld { reply.null() }
      return
    }
    if let (index, isEqual) = options.comparison {
      let isSame = try isValue(of: key, request[index])
      guard isEqual ? isSame == true : isSame != true else {
        if !options.givesOld { reply.null() }
        return
      }
    }
    if case .kept = options.deadline { deadline = old ?? 0 }
    try store(request[2], at: key, deadline: deadline)
    if !options.givesOld { reply.ok() }
  }

  /// `SETEX key seconds value`, `PSETEX key milliseconds value`.
  mutating func setWithTime(
    _ command: Command, _ request: borrowing Request, unit: TimeUnit, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let deadline = try newDeadline(request[2], unit, isAbsolute: false, for: command)
    try store(request[3], at: request[1], deadline: deadline)
    reply.ok()
  }

  /// `GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST]`.
  mutating func getAndExpire(
    _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let options = try StoreOptions(request, from: 2, of: .getex)
    let key = request[1]
    guard let old = try withValueRead(of: key, checks: false, { _, deadline in deadline }) else {
      reply.null()
      return
    }
    var deadline = old
    switch options.deadline {
    case .none, .kept: break
    case .persisted: deadline = 0
    case .at(let index, let unit, let isAbsolute):
      deadline = try newDeadline(request[index], unit, isAbsolute: isAbsolute, for: .getex)
    }
    _ = try withValue(of: key) { value, _ in reply.bulk(value) }
    guard deadline != old else { return }
    if deadline != 0, deadline <= now {
      try delete(key)
    } else {
      try setDeadline(deadline, of: key)
    }
  }
}
