internal import RESP

/// The commands that took longest, the latest first.
struct SlowLog {
  struct Entry {
    let id: UInt64
    /// When it ended, in seconds since 1970.
    let time: UInt64
    let microseconds: UInt64
    let arguments: [[UInt8]]
    let address: String
    let name: [UInt8]
  }

  private static let argumentLimit = 32
  private static let byteLimit = 128

  private(set) var entries: [Entry] = []
  private var nextID: UInt64 = 0

  /// How many commands the log contains.
  var count: Int { entries.count }

  mutating func add(
    _ request: borrowing Request, _ session: borrowing Session, microseconds: UInt64, time: UInt64,
    lengthLimit: Int, hidesArguments: Bool
  ) {
    var arguments: [[UInt8]] = []
    for index in 0..<min(request.count, Self.argumentLimit) {
      if index == Self.argumentLimit - 1, request.count > Self.argumentLimit {
        arguments.append(
          Array("... (\(request.count - Self.argumentLimit + 1) more arguments)".utf8))
        break
      }
      let argument = request[index]
      if hidesArguments, index > 0 {
        arguments.append(Array("(redacted)".utf8))
      } else if argument.byteCount > Self.byteLimit {
        arguments.append(
          argument.extracting(0..<Self.byteLimit).array
            + Array("... (\(argument.byteCount - Self.byteLimit) more bytes)".utf8))
      } else {
        arguments.append(argument.array)
      }
    }
    entries.insert(
      Entry(
        id: nextID, time: time, microseconds: microseconds, arguments: arguments,
        address: session.address, name: session.name), at: 0)
    nextID += 1
    shorten(to: lengthLimit)
  }

  mutating func shorten(to count: Int) {
    if entries.count > count { entries.removeLast(entries.count - count) }
  }

  mutating func clear() { entries = [] }
}

extension Cache {
  /// Notes a command that was slow, unless it is `SLOWLOG` itself.
  mutating func noteSlow(
    _ request: borrowing Request, _ session: borrowing Session, _ microseconds: UInt64,
    _ command: Command
  ) {
    guard settings.slowMicroseconds >= 0, command != .exec else { return }
    slowCommands.add(
      request, session, microseconds: microseconds, time: now / 1000,
      lengthLimit: settings.slowLogLength,
      hidesArguments: command == .auth || command == .hello
        || (command == .config && request.count > 2 && request[1].isWord("set")))
  }

  /// `SLOWLOG GET [count]`, `LEN`, `RESET`.
  mutating func slowLog(
    _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let name = request[1]
    if name.isWord("reset") {
      try request.expectCount(request.count == 2)
      slowCommands.clear()
      reply.ok()
    } else if name.isWord("len") {
      try request.expectCount(request.count == 2)
      reply.integer(slowCommands.entries.count)
    } else if name.isWord("get") {
      try request.expectCount(request.count <= 3)
      var count = 10
      if request.count == 3 {
        guard let wanted = Int64(decimal: request[2]), wanted >= -1 else {
          throw .sentence("ERR count should be greater than or equal to -1")
        }
        count = wanted == -1 ? .max : Int(wanted)
      }
      let entries = slowCommands.entries.prefix(count)
      reply.array(entries.count)
      for entry in entries {
        reply.array(6)
        reply.integer(Int64(entry.id))
        reply.integer(Int64(entry.time))
        reply.integer(Int64(entry.microseconds))
        reply.array(entry.arguments.count)
        for argument in entry.arguments { reply.bulk(argument.rawSpan) }
        reply.bulk(entry.address)
        reply.bulk(entry.name.rawSpan)
      }
    } else if name.isWord("help") {
      try request.expectCount(request.count == 2)
      reply.help(
        .slowlog,
        [
          "GET [<count>]",
          "    Return top <count> entries from the slowlog (default: 10, -1 mean all).",
          "    Entries are made of:",
          "    id, timestamp, time in microseconds, arguments array, client IP and port,",
          "    client name",
          "LEN",
          "    Return the length of the slowlog.",
          "RESET",
          "    Reset the slowlog.",
        ])
    } else {
      throw .unknownSubcommand(of: request)
    }
  }
}
