internal import NIOCore
internal import PersistentCollections
public import RESP

extension Cache {
  /// Carries out `request`, and writes the reply to it.
  public mutating func perform(
    _ request: borrowing Request, _ session: inout Session, _ reply: inout ReplyWriter
  ) -> Outcome {
    let slot = table.slot(of: request[0])
    guard let command = slot.command else {
      return refuseUnknown(request, &session, &reply)
    }
    session.lastCommand = command
    if slot.hasSubcommands {
      session.lastSubcommand = request.count > 1 ? request[1].text.lowercased() : ""
    } else if !session.lastSubcommand.isEmpty {
      session.lastSubcommand = ""
    }
    guard slot.takes(request.count) else {
      let start = reply.buffer.writerIndex
      reply.error(CommandError.count(of: command.name).reply)
      noteRefusal(slot, &session, &reply, from: start)
      return .done
    }
    if !session.isPlain || !databases.isFirstInPlace || Self.needsByte(request, slot) {
      return performCarefully(request, slot, command, &session, &reply)
    }
    return performTimed(request, slot, command, &session, &reply)
  }

  /// Carries out a command, and notes how long that took.
  @inline(__always)
  private mutating func performTimed(
    _ request: borrowing Request, _ slot: CommandTable.Slot, _ command: Command,
    _ session: inout Session, _ reply: inout ReplyWriter
  ) -> Outcome {
    figures.commandCount &+= 1
    let start = reply.buffer.writerIndex
    let begun = timing.begin(slot.index)
    var outcome = Outcome.done
    do throws(CommandError) {
      if slot.growsMemory, map.storageByteCount > map.storageByteLimit { try evictToLimit() }
      outcome = try carryOut(command, request, &session, &reply)
      if _slowPath(reply.isIncomplete) {
        reply.isIncomplete = false
        throw .replyTooLong(limit: reply.byteLimit)
      }
    } catch {
      reply.buffer.moveWriterIndex(to: start)
      reply.error(error.reply)
    }
    let microseconds = timing.end(slot.index, begun)
    if microseconds >= timing.slowMicroseconds {
      noteSlow(request, session, microseconds, command)
    }
    if reply.buffer.getInteger(at: start, as: UInt8.self) == UInt8(ascii: "-") {
      timing.countFailure(slot.index, Self.errorCode(reply, from: start))
    }
    return outcome
  }

  /// The same for a client, or a key, that is not ordinary.
  private mutating func performCarefully(
    _ request: borrowing Request, _ slot: CommandTable.Slot, _ command: Command,
    _ session: inout Session, _ reply: inout ReplyWriter
  ) -> Outcome {
    let start = reply.buffer.writerIndex
    guard session.isAuthenticated || slot.needsNoPassword else {
      reply.error("NOAUTH Authentication required.")
      noteRefusal(slot, &session, &reply, from: start)
      return .done
    }
    if session.transaction != nil, session.transaction!.progress == nil, slot.isQueued {
      guard slot.mayBeQueued else {
        reply.error("ERR Command not allowed inside a transaction")
        noteRefusal(slot, &session, &reply, from: start)
        return .done
      }
      session.transaction!.requests.append(Transaction.Queued(request))
      reply.simple("QUEUED")
      hushReply(from: start, &session, &reply)
      return .done
    }
    isNotTouching = session.isNotTouching && command != .touch
    let outcome: Outcome
    if slot.firstKey > 0,
      databases.storedNumber(of: session.database) != 0 || Self.needsByte(request, slot)
    {
      let stored = self.stored(request, slot, session)
      outcome = performTimed(stored.request, slot, command, &session, &reply)
    } else {
      outcome = performTimed(request, slot, command, &session, &reply)
    }
    isNotTouching = false
    if case .forServer = outcome { return outcome }
    hushReply(from: start, &session, &reply)
    return outcome
  }

  /// Takes the reply back where the client wants none, and counts the request.
  public func hushReply(
    from start: Int, _ session: inout Session, _ reply: inout ReplyWriter
  ) {
    switch session.replyMode {
    case .on: break
    case .off: reply.buffer.moveWriterIndex(to: start)
    case .skipNext:
      reply.buffer.moveWriterIndex(to: start)
      session.replyMode = .skip
    case .skip:
      // The requests of a transaction are one request.
      guard session.transaction?.progress == nil else { return }
      reply.buffer.moveWriterIndex(to: start)
      session.replyMode = .on
    }
  }

  /// Counts a command that was refused before it was carried out, which a transaction does not survive.
  private mutating func noteRefusal(
    _ slot: CommandTable.Slot, _ session: inout Session, _ reply: inout ReplyWriter,
    from start: Int
  ) {
    timing.countRefusal(slot.index, Self.errorCode(reply, from: start))
    if session.transaction?.progress == nil { session.transaction?.isAborted = true }
    if session.replyMode != .on { hushReply(from: start, &session, &reply) }
  }

  private mutating func refuseUnknown(
    _ request: borrowing Request, _ session: inout Session, _ reply: inout ReplyWriter
  ) -> Outcome {
    // What a browser sends can contain commands: see `isOfHTTP`.
    guard !Self.isOfHTTP(request[0]) else { return .close }
    let start = reply.buffer.writerIndex
    guard session.isAuthenticated else {
      reply.error("NOAUTH Authentication required.")
      return .done
    }
    if let reason = MissingCommand.reason(for: request[0]) {
      reply.error("ERR unknown command '\(request[0].text)': \(reason)")
    } else {
      writeUnknownCommand(request, &reply)
    }
    timing.countError(Self.errorCode(reply, from: start))
    if session.transaction?.progress == nil { session.transaction?.isAborted = true }
    if session.replyMode != .on { hushReply(from: start, &session, &reply) }
    return .done
  }

  /// The first word of an error, without the dash.
  private static func errorCode(_ reply: borrowing ReplyWriter, from start: Int) -> String {
    let bytes = reply.buffer.getBytes(
      at: start + 1, length: min(32, max(0, reply.buffer.writerIndex - start - 1)))
    return String(decoding: (bytes ?? []).prefix { $0 > 0x20 }, as: UTF8.self)
  }

  @inline(__always)
  private mutating func carryOut(
    _ command: Command, _ request: borrowing Request, _ session: inout Session,
    _ reply: inout ReplyWriter
  ) throws(CommandError) -> Outcome {
    switch command {
    case .get: try get(request[1], &reply)
    case .set: try set(request, &reply)
    case .incr: try increment(request[1], by: 1, &reply)
    case .mget: try getSeveral(request, &reply)
    case .mset: try setSeveral(request, &reply)
    case .del, .unlink: try delete(request, &reply)
    case .exists: try countExisting(request, touches: false, &reply)
    case .ping, .echo, .select, .hello, .auth, .reset, .quit:
      return try performConnection(command, request, &session, &reply)
    case .client, .shutdown, .info, .upgrade: return .forServer(command)
    case .save where isOnDisk, .bgsave where isOnDisk, .lastsave where isOnDisk:
      return .forServer(command)
    case .config where request.count == 2 && request[1].isWord("rewrite"):
      return .forServer(command)
    case .multi, .exec, .discard, .watch, .unwatch:
      try performTransaction(command, request, &session, &reply)
    case .dbsize, .flushall, .flushdb, .keys, .scan, .randomkey, .move, .swapdb, .copy:
      try performDatabase(command, request, session, &reply)
    default: try performOther(command, request, &reply)
    }
    return .done
  }

  private mutating func performDatabase(
    _ command: Command, _ request: borrowing Request, _ session: borrowing Session,
    _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let number = databases.storedNumber(of: session.database)
    switch command {
    case .dbsize: reply.integer(Int64(entryCount(number)))
    case .flushall: try flush(request, nil, &reply)
    case .flushdb: try flush(request, number, &reply)
    case .keys: try keys(matching: request[1], in: number, &reply)
    case .scan: try scan(request, in: number, &reply)
    case .randomkey: try randomKey(in: number, &reply)
    case .move: try move(request, from: session.database, &reply)
    case .copy: try copy(request, in: session.database, &reply)
    default: try swapDatabases(request, &reply)
    }
  }

  private mutating func performOther(
    _ command: Command, _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    switch command {
    case .setnx: try setIfNew(request[1], request[2], &reply)
    case .setex: try setWithTime(.setex, request, unit: .seconds, &reply)
    case .psetex: try setWithTime(.psetex, request, unit: .milliseconds, &reply)
    case .getset: try getAndSet(request[1], request[2], &reply)
    case .getdel: try getAndDelete(request[1], &reply)
    case .getex: try getAndExpire(request, &reply)
    case .append: try append(request[2], to: request[1], &reply)
    case .strlen: try length(of: request[1], &reply)
    case .getrange, .substr: try getRange(request, &reply)
    case .setrange: try setRange(request, &reply)
    case .msetnx: try setSeveralIfNew(request, &reply)
    case .decr: try increment(request[1], by: -1, &reply)
    case .incrby: try increment(request[1], by: Self.integer(request[2]), &reply)
    case .decrby: try decrement(request, &reply)
    case .incrbyfloat: try incrementFloat(request, &reply)
    case .touch: try countExisting(request, touches: true, &reply)
    case .setbit: try setBit(request, &reply)
    case .getbit: try getBit(request, &reply)
    case .bitcount: try countBits(request, &reply)
    case .delifeq: try deleteIfEqual(request[1], request[2], &reply)
    case .delex: try deleteConditionally(request, &reply)
    case .rename: try rename(request, onlyIfNew: false, &reply)
    case .renamenx: try rename(request, onlyIfNew: true, &reply)
    case .expire: try expire(.expire, request, unit: .seconds, isAbsolute: false, &reply)
    case .pexpire: try expire(.pexpire, request, unit: .milliseconds, isAbsolute: false, &reply)
    case .expireat: try expire(.expireat, request, unit: .seconds, isAbsolute: true, &reply)
    case .pexpireat:
      try expire(.pexpireat, request, unit: .milliseconds, isAbsolute: true, &reply)
    case .ttl: try deadline(of: request[1], unit: .seconds, isAbsolute: false, &reply)
    case .pttl: try deadline(of: request[1], unit: .milliseconds, isAbsolute: false, &reply)
    case .expiretime: try deadline(of: request[1], unit: .seconds, isAbsolute: true, &reply)
    case .pexpiretime:
      try deadline(of: request[1], unit: .milliseconds, isAbsolute: true, &reply)
    case .persist: try persist(request[1], &reply)
    case .type: try type(of: request[1], &reply)
    case .object: try object(request, &reply)
    case .memory: try memory(request, &reply)
    case .slowlog: try slowLog(request, &reply)
    case .role:
      reply.array(3)
      reply.bulk("master")
      reply.integer(0)
      reply.array(0)
    case .wait: try wait(request, &reply)
    case .config: try config(request, &reply)
    case .command: try table.describe(request, &reply)
    default: try performSaving(command, request, &reply)
    }
  }

  /// Whether the word begins a line of HTTP: a web page can have a browser send a request whose body
  /// consists of commands, so a connection that sends one is closed before its body is read.
  private static func isOfHTTP(_ word: RawSpan) -> Bool {
    word.isWord("post") || word.isWord("host:")
  }

  private func writeUnknownCommand(_ request: borrowing Request, _ reply: inout ReplyWriter) {
    // As strings of C, up to a zero byte, 128 bytes of each.
    func words(_ argument: RawSpan, _ limit: Int) -> [UInt8] {
      Array(argument.extracting(first: min(limit, argument.byteCount)).array.prefix { $0 != 0 })
    }
    var arguments: [UInt8] = []
    for index in 1..<request.count {
      guard arguments.count < 128 else { break }
      arguments += [UInt8(ascii: "'")] + words(request[index], 128 - arguments.count)
      arguments += Array("' ".utf8)
    }
    reply.error(
      Array("ERR unknown command '".utf8) + words(request[0], 128)
        + Array("', with args beginning with: ".utf8) + arguments)
  }
}
