internal import MemcachedProtocol
internal import PersistentCollections
internal import RESP

// The meta commands of the memcached protocol.

extension Cache {
  /// The key of a meta command and its flags.
  private struct MetaCommand {
    let key: MemcachedKey
    let options: MetaOptions
  }

  /// Reads key and flags, or writes an error reply and returns `nil`.
  ///
  /// - Parameter first: the word where the flags begin.
  private func metaCommand(
    flagsFrom first: Int, _ bytes: RawSpan, _ parser: borrowing MemcachedParser,
    _ reply: inout ReplyWriter
  ) -> MetaCommand? {
    guard parser.wordCount > 1 else {
      reply.line("ERROR")
      return nil
    }
    let name = parser.word(1, in: bytes)
    guard name.byteCount <= MemcachedParser.keyByteLimit else {
      reply.line("CLIENT_ERROR bad command line format")
      return nil
    }
    let options: MetaOptions
    do throws(MetaOptions.Refusal) {
      options = try MetaOptions(parser, from: first, in: bytes)
    } catch {
      reply.textLine(error.reply)
      return nil
    }
    guard options.has("b") else { return MetaCommand(key: MemcachedKey(name), options: options) }
    guard let decoded = Base64.decode(name), !decoded.isEmpty else {
      reply.line("CLIENT_ERROR error decoding key")
      return nil
    }
    return MetaCommand(key: MemcachedKey(decoded.rawSpan), options: options)
  }

  /// Writes the flags that every meta command repeats in its reply: the key, the opaque token.
  ///
  /// - Parameter other: writes the reply to another flag.
  private static func writeFlags(
    from first: Int, _ bytes: RawSpan, _ parser: borrowing MemcachedParser,
    _ reply: inout ReplyWriter, _ other: (UInt8, inout ReplyWriter) -> Void = { _, _ in }
  ) {
    guard first < parser.wordCount else { return }
    for index in first..<parser.wordCount {
      let word = parser.word(index, in: bytes)
      switch word[0] {
      case UInt8(ascii: "O"):
        reply.part(" ")
        reply.part(word)
      case UInt8(ascii: "k"):
        reply.part(" k")
        reply.part(parser.word(1, in: bytes))
      case UInt8(ascii: "b"): reply.part(" b")
      default: other(word[0], &reply)
      }
    }
  }

  private static func writeFlag(
    _ letter: StaticString, _ number: Int64, _ reply: inout ReplyWriter
  ) {
    reply.part(letter)
    if number < 0 { reply.part("-") }
    reply.decimal(number.magnitude)
  }

  private static func writeCAS(_ cas: UInt64, _ reply: inout ReplyWriter) {
    reply.part(" c")
    reply.decimal(cas)
  }

  // MARK: mg

  /// `mg key flags…`.
  mutating func metaGet(
    _ bytes: RawSpan, _ parser: borrowing MemcachedParser, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    guard let command = metaCommand(flagsFrom: 2, bytes, parser, &reply) else { return }
    memcachedFigures.metaCount &+= 1
    let options = command.options
    let newDeadline = options.lifetime.map { itemDeadline($0) }
    let clock = accessClock
    let now = now
    let isRead: Void? = try withItem(of: command.key.rawSpan, touches: !options.has("u")) {
      value, metadata in
      let award = Award(metadata, options, now: now)
      let old = metadata
      metadata.marks = award.marks(after: metadata.marks, isRead: !options.has("u"))
      let data = MemcachedItem.data(of: value)
      Self.writeHead(options.has("v") ? data.byteCount : nil, &reply)
      Self.writeItemFlags(
        bytes, parser, &reply, value, old, award, newDeadline, clock: clock, now: now)
      if options.has("v") { reply.value(data) }
    }
    noteRead(isRead != nil)
    if isRead != nil {
      guard let newDeadline else { return }
      memcachedFigures.touchCount &+= 1
      memcachedFigures.touchHits &+= 1
      return try setItemDeadline(newDeadline, of: command.key.rawSpan)
    }
    guard let lifetime = options.vivifiedLifetime else {
      guard !options.has("q") else { return }
      reply.part("EN")
      Self.writeFlags(from: 2, bytes, parser, &reply)
      reply.endLine()
      return
    }
    try vivify(command, lifetime, bytes, parser, &reply)
  }

  /// Stores an empty item for a client that is to store the real one.
  private mutating func vivify(
    _ command: MetaCommand, _ lifetime: Int64, _ bytes: RawSpan,
    _ parser: borrowing MemcachedParser, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    if map.storageByteCount > map.storageByteLimit { try evictToLimit() }
    let deadline = itemDeadline(lifetime)
    let empty: [UInt8] = []
    let result = try putItem(
      at: command.key.rawSpan, empty.rawSpan, flags: 0, deadline: deadline, marks: .isAwarded)
    guard case .stored(let cas) = result else { return }
    let now = now
    let seconds = remainingSeconds(deadline ?? now)
    let isValueWanted = command.options.has("v")
    Self.writeHead(isValueWanted ? 0 : nil, &reply)
    Self.writeFlags(from: 2, bytes, parser, &reply) { letter, reply in
      switch letter {
      case UInt8(ascii: "s"): Self.writeFlag(" s", 0, &reply)
      case UInt8(ascii: "f"): Self.writeFlag(" f", 0, &reply)
      case UInt8(ascii: "h"): Self.writeFlag(" h", 0, &reply)
      case UInt8(ascii: "l"): Self.writeFlag(" l", 0, &reply)
      case UInt8(ascii: "t"): Self.writeFlag(" t", seconds, &reply)
      case UInt8(ascii: "c"): Self.writeCAS(cas, &reply)
      default: break
      }
    }
    reply.part(" W")
    reply.endLine()
    if isValueWanted { reply.endLine() }
  }

  private static func writeHead(_ byteCount: Int?, _ reply: inout ReplyWriter) {
    guard let byteCount else { return reply.part("HD") }
    reply.part("VA ")
    reply.decimal(UInt64(byteCount))
  }

  /// Which client is asked to store an item again.
  private struct Award {
    var isStale: Bool
    /// Another client was asked before.
    var isTaken: Bool
    /// This client is asked.
    var isWon: Bool

    init(_ metadata: EntryMetadata, _ options: MetaOptions, now: UInt64) {
      isStale = metadata.marks.contains(.isStale)
      isTaken = metadata.marks.contains(.isAwarded)
      isWon = false
      guard !isTaken else { return }
      isWon = isStale
      if let seconds = options.recacheSeconds, metadata.deadline != 0, seconds > 0 {
        let remaining = (metadata.deadline &- min(now, metadata.deadline)) / 1000
        if remaining < UInt64(seconds) { isWon = true }
      }
    }

    func marks(after old: ItemMarks, isRead: Bool) -> ItemMarks {
      var marks = old
      if isWon { marks.insert(.isAwarded) }
      if isRead { marks.insert(.isFetched) }
      return marks
    }
  }

  /// Writes the flags of a hit in the order of the request, and whether this client is to store the item again.
  private static func writeItemFlags(
    _ bytes: RawSpan, _ parser: borrowing MemcachedParser, _ reply: inout ReplyWriter,
    _ value: RawSpan, _ metadata: EntryMetadata, _ award: Award, _ newDeadline: UInt64??,
    clock: UInt64, now: UInt64
  ) {
    var deadline = metadata.deadline
    writeFlags(from: 2, bytes, parser, &reply) { letter, reply in
      switch letter {
      // The flags behind it show the new deadline.
      case UInt8(ascii: "T"): if let newDeadline { deadline = newDeadline ?? now }
      case UInt8(ascii: "s"):
        writeFlag(" s", Int64(value.byteCount - MemcachedItem.headerByteCount), &reply)
      case UInt8(ascii: "t"): writeFlag(" t", remainingSeconds(deadline, now: now), &reply)
      case UInt8(ascii: "c"): writeCAS(MemcachedItem.cas(of: value), &reply)
      case UInt8(ascii: "f"): writeFlag(" f", Int64(MemcachedItem.flags(of: value)), &reply)
      case UInt8(ascii: "h"):
        writeFlag(" h", metadata.marks.contains(.isFetched) ? 1 : 0, &reply)
      case UInt8(ascii: "l"):
        let last = metadata.lastAccess
        writeFlag(" l", Int64(clamping: (clock &- min(last, clock)) / 1000), &reply)
      default: break
      }
    }
    if award.isTaken { reply.part(" Z") }
    if award.isStale { reply.part(" X") }
    if award.isWon { reply.part(" W") }
    reply.endLine()
  }

  // MARK: ms

  /// `ms key bytes flags…`, with a value behind the line.
  mutating func metaSet(
    _ bytes: RawSpan, _ parser: inout MemcachedParser, _ reply: inout ReplyWriter
  ) throws(CommandError) -> MemcachedOutcome {
    guard parser.wordCount > 2,
      let length = UInt64(digits: parser.word(2, in: bytes)), length <= UInt64(Int32.max) - 2
    else {
      if parser.wordCount == 1 {
        reply.line("ERROR")
      } else {
        reply.line("CLIENT_ERROR bad command line format")
      }
      return .done
    }
    guard let command = metaCommand(flagsFrom: 3, bytes, parser, &reply) else {
      parser.skip(Int(length) + 2)
      return .done
    }
    let options = command.options
    let mode: StoreMode
    switch options.mode.map({ $0 | 0x20 }) {
    case nil, UInt8(ascii: "s"): mode = .set
    case UInt8(ascii: "e"): mode = .add
    case UInt8(ascii: "a"): mode = .append
    case UInt8(ascii: "p"): mode = .prepend
    case UInt8(ascii: "r"): mode = .replace
    default:
      parser.skip(Int(length) + 2)
      reply.line("CLIENT_ERROR invalid mode for ms M token")
      return .done
    }
    guard settings.fitsItem(keyByteCount: command.key.rawSpan.byteCount, Int(length)) else {
      parser.skip(Int(length) + 2)
      memcachedFigures.tooLargeCount &+= 1
      if mode == .set { try delete(command.key.rawSpan) }
      reply.line("SERVER_ERROR object too large for cache")
      return .done
    }
    guard parser.takeData(Int(length), in: bytes) else { return .incomplete }
    guard parser.isDataEnded(in: bytes) else {
      reply.line("CLIENT_ERROR bad data chunk")
      return .done
    }
    memcachedFigures.metaCount &+= 1
    let result: StoreResult
    do throws(CommandError) {
      result = try storeItem(
        mode, at: command.key.rawSpan, parser.data(in: bytes), flags: options.clientFlags,
        deadline: itemDeadline(options.lifetime ?? 0), cas: options.cas,
        invalidates: options.has("I"))
    } catch {
      if mode == .set { try delete(command.key.rawSpan) }
      throw error
    }
    var cas: UInt64 = 0
    switch result {
    case .stored(let number):
      if options.has("q") { return .done }
      cas = number
      reply.part("HD")
    case .notStored: reply.part("NS")
    case .exists: reply.part("EX")
    case .notFound: reply.part("NF")
    }
    Self.writeFlags(from: 3, bytes, parser, &reply) { letter, reply in
      if letter == UInt8(ascii: "c") { Self.writeCAS(cas, &reply) }
    }
    reply.endLine()
    return .done
  }

  // MARK: md

  /// `md key flags…`.
  mutating func metaDelete(
    _ bytes: RawSpan, _ parser: borrowing MemcachedParser, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    guard let command = metaCommand(flagsFrom: 2, bytes, parser, &reply) else { return }
    memcachedFigures.metaCount &+= 1
    let options = command.options
    let key = command.key
    if let found = try itemFacts(of: key.rawSpan) {
      if let cas = options.cas, cas != found.cas {
        reply.part("EX")
      } else {
        if options.has("I") {
          let deadline = options.lifetime.map { itemDeadline($0) } ?? found.deadline
          try invalidateItem(found, at: key.rawSpan, deadline: deadline)
        } else {
          try delete(key.rawSpan)
          memcachedFigures.deleteHits &+= 1
        }
        if options.has("q") { return }
        reply.part("HD")
      }
    } else {
      memcachedFigures.deleteMisses &+= 1
      reply.part("NF")
    }
    Self.writeFlags(from: 2, bytes, parser, &reply)
    reply.endLine()
  }

  // MARK: ma

  /// `ma key flags…`.
  mutating func metaCount(
    _ bytes: RawSpan, _ parser: borrowing MemcachedParser, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    guard let command = metaCommand(flagsFrom: 2, bytes, parser, &reply) else { return }
    let options = command.options
    let isIncrease: Bool
    switch options.mode {
    case nil, UInt8(ascii: "I"), UInt8(ascii: "i"), UInt8(ascii: "+"): isIncrease = true
    case UInt8(ascii: "D"), UInt8(ascii: "d"), UInt8(ascii: "-"): isIncrease = false
    default: return reply.line("CLIENT_ERROR invalid mode for ma M token")
    }
    memcachedFigures.metaCount &+= 1
    var result = try countItem(
      at: command.key.rawSpan, options.delta, isIncrease: isIncrease, cas: options.cas,
      lifetime: options.lifetime)
    if case .notFound = result, let lifetime = options.vivifiedLifetime {
      let deadline = itemDeadline(lifetime)
      let digits = Array(String(options.initial).utf8)
      let stored = try putItem(
        at: command.key.rawSpan, digits.rawSpan, flags: 0, deadline: deadline, marks: [])
      if case .stored(let cas) = stored {
        result = .changed(value: options.initial, cas: cas, deadline: deadline ?? now)
      }
    }
    switch result {
    case .notNumber:
      return reply.line("CLIENT_ERROR cannot increment or decrement non-numeric value")
    case .exists: reply.part("EX")
    case .notFound: reply.part("NF")
    case .changed(let value, let cas, let deadline):
      if options.has("q") { return }
      let digits = Array(String(value).utf8)
      Self.writeHead(options.has("v") ? digits.count : nil, &reply)
      let seconds = remainingSeconds(deadline)
      Self.writeFlags(from: 2, bytes, parser, &reply) { letter, reply in
        switch letter {
        case UInt8(ascii: "t"): Self.writeFlag(" t", seconds, &reply)
        case UInt8(ascii: "c"): Self.writeCAS(cas, &reply)
        default: break
        }
      }
      reply.endLine()
      if options.has("v") { reply.value(digits.rawSpan) }
      return
    }
    Self.writeFlags(from: 2, bytes, parser, &reply)
    reply.endLine()
  }

  // MARK: me

  /// `me key [b]`.
  mutating func metaDebug(
    _ bytes: RawSpan, _ parser: borrowing MemcachedParser, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    guard let command = metaCommand(flagsFrom: 2, bytes, parser, &reply) else { return }
    memcachedFigures.metaCount &+= 1
    let key = command.key.rawSpan
    let found = try withItem(of: key, touches: false) { value, metadata in
      (
        cas: MemcachedItem.cas(of: value), deadline: metadata.deadline, last: metadata.lastAccess,
        isFetched: metadata.marks.contains(.isFetched)
      )
    }
    guard let found else { return reply.line("EN") }
    let byteCount: Int?
    do throws(PersistentCollectionError) { byteCount = try map.memoryByteCount(of: key) } catch {
      throw .collection(error)
    }
    reply.part("ME ")
    reply.part(parser.word(1, in: bytes))
    reply.textLine(
      " exp=\(remainingSeconds(found.deadline)) la=\((accessClock &- min(found.last, accessClock)) / 1000)"
        + " cas=\(found.cas) fetch=\(found.isFetched ? "yes" : "no") cls=1 size=\(byteCount ?? 0)")
  }
}
