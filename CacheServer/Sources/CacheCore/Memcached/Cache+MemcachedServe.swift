public import MemcachedProtocol
internal import NIOCore
public import RESP

extension Cache {
  /// What became of a command of the memcached protocol.
  enum MemcachedOutcome {
    /// The reply is written.
    case done
    /// The connection is to be closed.
    case close
    /// A part of the value is missing.
    case incomplete
    /// It has to wait for the end of a pause.
    case paused
    /// The server has to write `stats`.
    case statistics
  }

  /// Carries out what a client of the memcached protocol has sent, command by command, and writes the
  /// replies.
  public mutating func serveMemcached(
    _ bytes: RawSpan, _ parser: inout MemcachedParser, _ session: inout Session,
    _ reply: inout ReplyWriter, outputLimit: Int
  ) -> Stop {
    flushItemsIfDue()
    var left = Self.turnLength
    while true {
      if parser.isTakingKeys, !takeKeys(bytes, &parser, &reply, outputLimit) { return .full }
      guard reply.buffer.readableBytes <= outputLimit else {
        parser.finishCommand()
        return .full
      }
      guard left > 0 else {
        parser.finishCommand()
        return .turn
      }
      left &-= 1
      let verb: MemcachedVerb?
      switch parser.next(in: bytes) {
      case .incomplete: return .incomplete
      case .failed:
        reply.line("CLIENT_ERROR line too long")
        return .close
      case .command(let found): verb = found
      }
      if pause == .all || (pause == .writes && verb?.isWrite == true) {
        parser.putBack()
        return .paused
      }
      let start = reply.buffer.writerIndex
      var isQuiet = false
      let outcome: MemcachedOutcome
      do throws(CommandError) {
        outcome =
          session.isAuthenticated
          ? try performMemcached(verb, bytes, &parser, &reply, &isQuiet)
          : authenticate(verb, bytes, &parser, &session, &reply)
      } catch {
        reply.buffer.moveWriterIndex(to: start)
        writeMemcached(error, &reply)
        outcome = .done
      }
      if isQuiet { reply.buffer.moveWriterIndex(to: start) }
      switch outcome {
      case .done: figures.commandCount &+= 1
      case .close: return .close
      case .incomplete: return .incomplete
      case .paused:
        parser.putBack()
        return .paused
      case .statistics: return .forMemcachedStatistics
      }
    }
  }

  private mutating func writeMemcached(_ error: CommandError, _ reply: inout ReplyWriter) {
    switch error {
    case .sentence(let sentence): reply.textLine(sentence)
    case .collection(let error) where error.isShortage:
      memcachedFigures.noMemoryCount &+= 1
      reply.line("SERVER_ERROR out of memory storing object")
    default:
      let text = error.reply
      reply.textLine("SERVER_ERROR \(text.hasPrefix("ERR ") ? String(text.dropFirst(4)) : text)")
    }
  }

  /// Before a client has sent the password, it can only send that: `set`, with any key and a value of a user's
  /// name, which does not matter, and the password.
  private mutating func authenticate(
    _ verb: MemcachedVerb?, _ bytes: RawSpan, _ parser: inout MemcachedParser,
    _ session: inout Session, _ reply: inout ReplyWriter
  ) -> MemcachedOutcome {
    guard verb == .set, parser.wordCount == 5,
      let byteCount = UInt64(digits: parser.word(4, in: bytes)), byteCount <= 1024
    else {
      if verb == .quit { return .close }
      reply.line("CLIENT_ERROR unauthenticated")
      // Behind something else may come a value, which is not a command.
      return verb == nil || verb == .set ? .close : .done
    }
    guard parser.takeData(Int(byteCount), in: bytes) else { return .incomplete }
    let words = parser.data(in: bytes).array.split(
      separator: UInt8(ascii: " "), maxSplits: 1, omittingEmptySubsequences: false)
    memcachedFigures.authenticationCount &+= 1
    guard words.count == 2, parser.isDataEnded(in: bytes),
      settings.isPassword(Array(words[1]).rawSpan)
    else {
      memcachedFigures.authenticationErrors &+= 1
      reply.line("CLIENT_ERROR authentication failure")
      return .done
    }
    session.isAuthenticated = true
    reply.line("STORED")
    return .done
  }

  private mutating func performMemcached(
    _ verb: MemcachedVerb?, _ bytes: RawSpan, _ parser: inout MemcachedParser,
    _ reply: inout ReplyWriter, _ isQuiet: inout Bool
  ) throws(CommandError) -> MemcachedOutcome {
    guard let verb else {
      // A line of HTTP closes the connection: a web page can make a browser send commands in the body of a request.
      // So does the first byte of the binary protocol, which this server does not support.
      let isForeign =
        parser.wordCount > 0
        && Self.isForeign(
          parser.word(0, in: bytes),
          last: parser.word(parser.wordCount - 1, in: bytes))
      if isForeign { return .close }
      reply.line("ERROR")
      return .done
    }
    switch verb {
    case .get, .gets, .gat, .gats: return beginRetrieval(verb, bytes, &parser, &reply)
    case .set, .add, .replace, .append, .prepend, .cas:
      return try storeCommand(verb, bytes, &parser, &reply, &isQuiet)
    case .metaSet: return try metaSet(bytes, &parser, &reply)
    case .metaGet: try metaGet(bytes, parser, &reply)
    case .metaDelete: try metaDelete(bytes, parser, &reply)
    case .metaArithmetic: try metaCount(bytes, parser, &reply)
    case .metaDebug: try metaDebug(bytes, parser, &reply)
    case .metaNoOp: reply.line("MN")
    case .quit: return .close
    case .stats:
      guard parser.wordCount > 1, parser.word(1, in: bytes).isExactly("reset") else {
        return .statistics
      }
      memcachedFigures = MemcachedFigures()
      memcachedEvictedBase = figures.evictedCount
      reply.line("RESET")
    default:
      isQuiet = parser.isQuiet(in: bytes)
      try performPlain(verb, bytes, parser, &reply)
    }
    return .done
  }

  /// Whether a line is one of HTTP, or of the binary protocol.
  private static func isForeign(_ word: RawSpan, last: RawSpan) -> Bool {
    if word[0] == 0x80 { return true }
    if word.isWord("post") || word.isWord("host:") { return true }
    return last.byteCount > 5 && last.extracting(first: 5).isExactly("HTTP/")
  }

  private mutating func performPlain(
    _ verb: MemcachedVerb, _ bytes: RawSpan, _ parser: borrowing MemcachedParser,
    _ reply: inout ReplyWriter
  ) throws(CommandError) {
    switch verb {
    case .incr, .decr: try countCommand(verb, bytes, parser, &reply)
    case .delete: try deleteCommand(bytes, parser, &reply)
    case .touch: try touchCommand(bytes, parser, &reply)
    case .flushAll: try flushCommand(bytes, parser, &reply)
    case .version: reply.textLine("VERSION \(Self.memcachedVersion)")
    case .verbosity:
      guard parser.wordCount > 1 else { return reply.line("ERROR") }
      // What is logged does not depend on it.
      let word = parser.word(1, in: bytes)
      if word.isExactly("noreply") || UInt64(digits: word) != nil {
        reply.line("OK")
      } else {
        reply.line("CLIENT_ERROR bad command line format")
      }
    case .cacheMemoryLimit:
      guard parser.wordCount > 1, let size = UInt64(digits: parser.word(1, in: bytes)),
        size < 1 << 40
      else { return reply.line("ERROR") }
      guard size >= 8 else {
        return reply.line("MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m")
      }
      settings.maximumByteCount = size << 20
      reply.line("OK")
    default: reply.line("ERROR: shutdown not enabled")
    }
  }

  /// The version of memcached whose protocol this is.
  public static var memcachedVersion: String { "1.6.18" }

  // MARK: Retrieval

  private mutating func beginRetrieval(
    _ verb: MemcachedVerb, _ bytes: RawSpan, _ parser: inout MemcachedParser,
    _ reply: inout ReplyWriter
  ) -> MemcachedOutcome {
    var retrieval = MemcachedRetrieval(withCAS: verb == .gets || verb == .gats, lifetime: nil)
    if verb == .gat || verb == .gats {
      guard parser.wordCount > 1 else {
        reply.line("ERROR")
        return .done
      }
      guard let lifetime = Int64(digits: parser.word(1, in: bytes)) else {
        reply.line("CLIENT_ERROR invalid exptime argument")
        return .done
      }
      retrieval.lifetime = lifetime
    }
    switch parser.beginKeys(in: bytes, for: retrieval) {
    case .none: reply.line("ERROR")
    case .tooLong: reply.line("CLIENT_ERROR bad command line format")
    case .valid: break
    }
    return .done
  }

  /// Writes the items of the keys of a line.
  ///
  /// - Returns: `false` if the replies have reached the limit, and must be sent before it makes more, or other clients may
  ///   have a turn.
  private mutating func takeKeys(
    _ bytes: RawSpan, _ parser: inout MemcachedParser, _ reply: inout ReplyWriter,
    _ outputLimit: Int
  ) -> Bool {
    var left = Self.keyTurnLength
    while parser.nextKey(in: bytes, peeks: true) != nil {
      guard reply.buffer.readableBytes <= outputLimit, left > 0 else { return false }
      left &-= 1
      guard let key = parser.nextKey(in: bytes) else { break }
      do throws(CommandError) { try retrieve(key, parser.retrieval, &reply) } catch {
        writeMemcached(error, &reply)
        parser.abandonKeys()
        return true
      }
    }
    _ = parser.nextKey(in: bytes)
    reply.line("END")
    return true
  }

  @inline(__always)
  private mutating func retrieve(
    _ name: RawSpan, _ retrieval: MemcachedRetrieval, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let key = MemcachedKey(name)
    let found: Void? = try withItem(of: key.rawSpan, touches: true) { value, metadata in
      reply.item(
        name, flags: MemcachedItem.flags(of: value),
        cas: retrieval.withCAS ? MemcachedItem.cas(of: value) : nil,
        MemcachedItem.data(of: value))
      metadata.marks.insert(.isFetched)
    }
    noteRead(found != nil)
    guard let lifetime = retrieval.lifetime else { return }
    memcachedFigures.touchCount &+= 1
    guard found != nil else {
      memcachedFigures.touchMisses &+= 1
      return
    }
    memcachedFigures.touchHits &+= 1
    try setItemDeadline(itemDeadline(lifetime), of: key.rawSpan)
  }

  /// Counts a read.
  mutating func noteRead(_ isHit: Bool) {
    memcachedFigures.getCount &+= 1
    if isHit {
      figures.hitCount &+= 1
      memcachedFigures.getHits &+= 1
    } else {
      figures.missCount &+= 1
      memcachedFigures.getMisses &+= 1
    }
  }
}
