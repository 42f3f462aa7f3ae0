internal import KexecHandover
internal import NIOCore
internal import PersistentCollections
public import RESP

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

extension Cache {
  /// Reads the clock; called before the first command of those that have come together.
  ///
  /// - Parameter time: the time, in milliseconds since 1970; nil to read it.
  /// - Returns: the time.
  @discardableResult
  public mutating func beginBatch(at time: UInt64? = nil) -> UInt64 {
    let time = time ?? Self.currentTime()
    if time < now { clockSkew &+= now &- time }
    now = time
    return now
  }

  /// Stores the figures; called after the last command, before the replies are sent.
  public mutating func endBatch() {
    books.store(figures, accessClock: accessClock, in: &map.memory)
    peakByteCount = max(peakByteCount, map.storageByteCount)
  }

  /// Microseconds since 1970.
  static func currentMicroseconds() -> UInt64 {
    var time = timespec()
    // SAFETY: the call fills the structure.
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return UInt64(time.tv_sec) &* 1_000_000 &+ UInt64(time.tv_nsec) / 1000
  }

  /// Milliseconds since 1970.
  static func currentTime() -> UInt64 { currentMicroseconds() / 1000 }

  /// Carries out `request`, and writes the reply to it.
  public mutating func perform(
    _ request: borrowing Request, _ session: inout Session, _ reply: inout ReplyWriter
  ) -> Outcome {
    let slot = table.slot(of: request[0])
    guard let command = slot.command else {
      // What a browser sends can contain commands: see `isOfHTTP`.
      guard !Self.isOfHTTP(request[0]) else { return .close }
      writeUnknownCommand(request, &reply)
      return .done
    }
    session.lastCommand = command
    if slot.hasSubcommands {
      session.lastSubcommand = request.count > 1 ? request[1].text.lowercased() : ""
    } else if !session.lastSubcommand.isEmpty {
      session.lastSubcommand = ""
    }
    guard slot.takes(request.count) else {
      reply.error(CommandError.count(of: command.name).reply)
      return .done
    }
    guard session.isAuthenticated || slot.needsNoPassword else {
      reply.error("NOAUTH Authentication required.")
      return .done
    }
    figures.commandCount &+= 1
    let start = reply.buffer.writerIndex
    do throws(CommandError) {
      if slot.growsMemory, map.storageByteCount > map.storageByteLimit { try evictToLimit() }
      return try carryOut(command, request, &session, &reply)
    } catch {
      reply.buffer.moveWriterIndex(to: start)
      reply.error(error.reply)
      return .done
    }
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
    default: try performOther(command, request, &reply)
    }
    return .done
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
    case .getrange: try getRange(request, &reply)
    case .setrange: try setRange(request, &reply)
    case .msetnx: try setSeveralIfNew(request, &reply)
    case .decr: try increment(request[1], by: -1, &reply)
    case .incrby: try increment(request[1], by: integer(request[2]), &reply)
    case .decrby: try decrement(request, &reply)
    case .incrbyfloat: try incrementFloat(request, &reply)
    case .touch: try countExisting(request, touches: true, &reply)
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
    case .scan: try scan(request, &reply)
    case .keys: try keys(matching: request[1], &reply)
    case .randomkey: try randomKey(&reply)
    case .object: try object(request, &reply)
    case .memory: try memory(request, &reply)
    case .dbsize: reply.integer(count)
    case .flushall, .flushdb: try flush(request, &reply)
    case .wait: try wait(request, &reply)
    case .config: try config(request, &reply)
    case .command: try describeCommands(request, &reply)
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
