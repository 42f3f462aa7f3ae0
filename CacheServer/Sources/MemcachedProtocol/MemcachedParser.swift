internal import RESP

/// Finds the commands in what a client of the memcached protocol sends, without copying them.
///
///     set key 0 0 5\r\n value\r\n get a b c\r\n
///     └── words ──┘     └data┘    │   └ keys, taken one by one
///     └───────── one command ────┘└ consumed moves on with each key
///
/// The caller passes the bytes of the last call again, with more behind them, after ``discardConsumed()``.
public struct MemcachedParser: Sendable {
  /// What was found.
  public enum Step: Equatable, Sendable {
    /// A command line; nil where no command has that name.
    case command(MemcachedVerb?)
    /// Nothing that is whole.
    case incomplete
    /// A line that is longer than a command can be. The caller closes the connection.
    case failed
  }

  /// The longest key, in bytes.
  public static let keyByteLimit = 250
  /// The longest command line, in bytes.
  public static let lineByteLimit = 2048
  /// The longest line of a command that is followed by keys, in bytes.
  public static let retrievalLineByteLimit = 1 << 20
  /// The most words of a line that are split. A line with more is wrong, except that any number of keys
  /// can follow a retrieval command.
  public static let wordLimit = 24

  /// How many of the given bytes are done with.
  public private(set) var consumed = 0
  /// How many bytes of a refused value are still to come.
  public private(set) var skipCount: Int
  /// Whether the line has more than ``wordLimit`` words.
  public private(set) var hasTooManyWords = false

  private var words: [ArgumentRange] = []
  /// Behind the last command that was found.
  private var cursor = 0
  /// The bytes before this offset contain no line break.
  private var searched = 0
  /// How many bytes an incomplete command has, if that is known.
  private var needed = 0
  /// Behind the line that was found last.
  private var lineEnd = 0
  private var nextLine = 0
  private var data = ArgumentRange(start: 0, byteCount: 0)
  private var keys: Keys?

  /// A command whose keys are being taken.
  private struct Keys {
    /// What comes before the keys.
    let prefix: [UInt8]
    let retrieval: MemcachedRetrieval
    var cursor: Int
    var end: Int
  }

  /// A parser of a connection that begins, or of one that was handed over.
  ///
  /// - Parameter skipCount: how many bytes of a refused value are still to come.
  public init(skipCount: Int = 0) { self.skipCount = max(skipCount, 0) }

  // MARK: Commands

  /// Looks for the next command in `bytes`.
  public mutating func next(in bytes: RawSpan) -> Step {
    if skipCount > 0 {
      let count = min(skipCount, bytes.byteCount - cursor)
      skipCount -= count
      cursor += count
    }
    consumed = cursor
    let available = bytes.byteCount - cursor
    guard skipCount == 0, available > 0, available >= needed else { return .incomplete }
    needed = 0
    var end = max(searched, cursor)
    while end < bytes.byteCount, bytes[end] != UInt8(ascii: "\n") { end &+= 1 }
    searched = end
    guard end - cursor <= lineLimit(in: bytes) else { return .failed }
    guard end < bytes.byteCount else { return .incomplete }
    nextLine = end + 1
    lineEnd = end > cursor && bytes[end - 1] == UInt8(ascii: "\r") ? end - 1 : end
    return .command(splitLine(in: bytes))
  }

  private func lineLimit(in bytes: RawSpan) -> Int {
    guard bytes.byteCount - cursor > Self.lineByteLimit else { return Self.lineByteLimit }
    var start = cursor
    while start < cursor + 64, bytes[start] == UInt8(ascii: " ") { start += 1 }
    var end = start
    while end < start + 5, bytes[end] != UInt8(ascii: " ") { end += 1 }
    let isRetrieval = MemcachedVerb(bytes.extracting(start..<end))?.isRetrieval ?? false
    return isRetrieval ? Self.retrievalLineByteLimit : Self.lineByteLimit
  }

  /// Splits the line into words; of a line with keys, only what comes before them.
  private mutating func splitLine(in bytes: RawSpan) -> MemcachedVerb? {
    words.removeAll(keepingCapacity: true)
    hasTooManyWords = false
    var verb: MemcachedVerb?
    var offset = cursor
    var limit = Self.wordLimit
    while let word = nextWord(in: bytes, from: offset, to: lineEnd) {
      guard words.count < limit else {
        hasTooManyWords = true
        break
      }
      words.append(word)
      offset = Int(word.start) + Int(word.byteCount)
      if words.count == 1 {
        verb = MemcachedVerb(self.word(0, in: bytes))
        switch verb {
        case .get, .gets: limit = 1
        case .gat, .gats: limit = 2
        default: break
        }
      }
    }
    cursor = nextLine
    return verb
  }

  private func nextWord(in bytes: RawSpan, from start: Int, to end: Int) -> ArgumentRange? {
    var start = start
    while start < end, bytes[start] == UInt8(ascii: " ") { start &+= 1 }
    guard start < end else { return nil }
    var wordEnd = start
    while wordEnd < end, bytes[wordEnd] != UInt8(ascii: " ") { wordEnd &+= 1 }
    return ArgumentRange(start: start, byteCount: wordEnd - start)
  }

  /// How many words the line has, with the command's name, but for keys.
  public var wordCount: Int { words.count }

  /// A word of the line; 0 is the command's name.
  ///
  /// - Precondition: the line has that word.
  @_lifetime(copy bytes)
  public func word(_ index: Int, in bytes: RawSpan) -> RawSpan {
    let range = words[index]
    let start = Int(range.start)
    return bytes.extracting(start..<start &+ Int(range.byteCount))
  }

  /// Whether the last word is `noreply`.
  public func isQuiet(in bytes: RawSpan) -> Bool {
    guard let last = words.indices.last else { return false }
    return word(last, in: bytes).isExactly("noreply")
  }

  /// Counts the command that was found last among what is done with, without looking for another.
  public mutating func finishCommand() {
    if keys == nil { consumed = cursor }
  }

  /// Forgets that the last command was found: it is found again.
  public mutating func putBack() { cursor = consumed }

  // MARK: Values

  /// Takes `byteCount` bytes behind the line, and the line break behind them.
  ///
  /// - Returns: false where they have not all come; the command is found again then.
  public mutating func takeData(_ byteCount: Int, in bytes: RawSpan) -> Bool {
    guard bytes.byteCount - nextLine >= byteCount + 2 else {
      needed = nextLine - consumed + byteCount + 2
      cursor = consumed
      return false
    }
    data = ArgumentRange(start: nextLine, byteCount: byteCount)
    cursor = nextLine + byteCount + 2
    return true
  }

  /// The value that was taken last.
  @_lifetime(copy bytes)
  public func data(in bytes: RawSpan) -> RawSpan {
    let start = Int(data.start)
    return bytes.extracting(start..<start &+ Int(data.byteCount))
  }

  /// Whether a line break follows the value that was taken last.
  public func isDataEnded(in bytes: RawSpan) -> Bool {
    let end = Int(data.start) + Int(data.byteCount)
    return bytes[end] == UInt8(ascii: "\r") && bytes[end + 1] == UInt8(ascii: "\n")
  }

  /// Leaves out the next bytes, also those that have not come yet.
  public mutating func skip(_ byteCount: Int) { skipCount = byteCount }

  // MARK: Keys

  /// What the keys of a line are.
  public enum KeyCheck: Sendable {
    case none
    case tooLong
    case valid
  }

  /// Begins to take the keys of the line that was found last.
  public mutating func beginKeys(
    in bytes: RawSpan, for retrieval: MemcachedRetrieval
  ) -> KeyCheck {
    guard let last = words.last else { return .none }
    let first = Int(last.start) + Int(last.byteCount)
    var offset = first
    var count = 0
    while let key = nextWord(in: bytes, from: offset, to: lineEnd) {
      guard Int(key.byteCount) <= Self.keyByteLimit else { return .tooLong }
      offset = Int(key.start) + Int(key.byteCount)
      count += 1
    }
    guard count > 0 else { return .none }
    var prefix: [UInt8] = []
    for index in words.indices { prefix += word(index, in: bytes).array + [UInt8(ascii: " ")] }
    keys = Keys(prefix: prefix, retrieval: retrieval, cursor: first, end: lineEnd)
    return .valid
  }

  /// Whether keys of a line, or the reply after the last of them, are still to be handled.
  public var isTakingKeys: Bool { keys != nil }

  /// What is done with the items of the keys.
  public var retrieval: MemcachedRetrieval { keys?.retrieval ?? MemcachedRetrieval() }

  /// What has to come before the rest of the line, so that another parser takes the rest of the keys.
  public var resumption: [UInt8] { keys?.prefix ?? [] }

  /// The next key; nil, once, behind the last one.
  ///
  /// - Parameter peeks: whether it is only looked at.
  @_lifetime(copy bytes)
  public mutating func nextKey(in bytes: RawSpan, peeks: Bool = false) -> RawSpan? {
    guard let found = keys,
      let key = nextWord(in: bytes, from: found.cursor, to: found.end)
    else {
      if !peeks { keys = nil }
      return nil
    }
    let start = Int(key.start)
    let end = start + Int(key.byteCount)
    if !peeks {
      keys!.cursor = end
      consumed = end
    }
    return bytes.extracting(start..<end)
  }

  /// Takes no more keys of the line.
  public mutating func abandonKeys() { keys = nil }

  // MARK: Bytes

  /// Forgets the bytes that are done with; the caller takes as many away from what it passes next.
  public mutating func discardConsumed() {
    guard consumed > 0 else { return }
    cursor -= consumed
    searched = max(searched - consumed, 0)
    keys?.cursor -= consumed
    keys?.end -= consumed
    consumed = 0
  }
}

/// What a command does with the items of its keys.
public struct MemcachedRetrieval: Equatable, Sendable {
  /// Whether their CAS numbers are written.
  public var withCAS: Bool
  /// Their new time to live, as the client has sent it; nil where it stays.
  public var lifetime: Int64?

  /// Nothing but reading them.
  public init(withCAS: Bool = false, lifetime: Int64? = nil) {
    self.withCAS = withCAS
    self.lifetime = lifetime
  }
}
