internal import RESP

/// The flags of a meta command: a letter each, some with a token behind it.
public struct MetaOptions: Sendable {
  /// Why flags are refused: the reply, without the line break.
  public struct Refusal: Error, Equatable, Sendable {
    /// The line, without its end.
    public let reply: String
  }

  /// The most flags of a command.
  public static let countLimit = 20
  /// The longest opaque token, in bytes.
  public static let opaqueByteLimit = 32

  /// One bit for each letter that was given.
  private var letters: UInt64 = 0
  /// The new time to live: `T`.
  public private(set) var lifetime: Int64?
  /// The time to live of an item that is made because the key is unknown: `N`.
  public private(set) var vivifiedLifetime: Int64?
  /// Below how many seconds of remaining time a client is to store the item anew: `R`.
  public private(set) var recacheSeconds: Int64?
  /// The client's flags: `F`.
  public private(set) var clientFlags: UInt32 = 0
  /// The number that the item has to have: `C`.
  public private(set) var cas: UInt64?
  /// What is added or subtracted: `D`.
  public private(set) var delta: UInt64 = 1
  /// What a counter begins with: `J`.
  public private(set) var initial: UInt64 = 0
  /// The mode: `M`.
  public private(set) var mode: UInt8?

  /// Reads the flags from word `first` on.
  ///
  /// - Throws: ``Refusal``.
  public init(
    _ parser: borrowing MemcachedParser, from first: Int, in bytes: RawSpan
  ) throws(Refusal) {
    guard !parser.hasTooManyWords, parser.wordCount - first <= Self.countLimit else {
      throw Refusal(reply: "CLIENT_ERROR options flags are too long")
    }
    guard first < parser.wordCount else { return }
    for index in first..<parser.wordCount {
      try read(parser.word(index, in: bytes))
    }
  }

  /// Whether the flag of that letter was given.
  public func has(_ letter: Unicode.Scalar) -> Bool {
    letters & Self.bit(UInt8(ascii: letter)) != 0
  }

  private static func bit(_ letter: UInt8) -> UInt64 {
    letter >= UInt8(ascii: "A") ? 1 << UInt64((letter &- UInt8(ascii: "A")) & 63) : 0
  }

  private mutating func read(_ word: RawSpan) throws(Refusal) {
    let letter = word[0]
    let token = word.extracting(1..<word.byteCount)
    func number<Number>(_ number: Number?) throws(Refusal) -> Number {
      guard let number else {
        throw Refusal(reply: "CLIENT_ERROR bad token in command line format")
      }
      return number
    }
    switch letter {
    case UInt8(ascii: "T"): lifetime = try number(Int64(digits: token))
    case UInt8(ascii: "N"): vivifiedLifetime = try number(Int64(digits: token))
    case UInt8(ascii: "R"): recacheSeconds = try number(Int64(digits: token))
    case UInt8(ascii: "F"):
      clientFlags = try number(UInt64(digits: token).flatMap { UInt32(exactly: $0) })
    case UInt8(ascii: "C"): cas = try number(UInt64(digits: token))
    case UInt8(ascii: "D"): delta = try number(UInt64(digits: token))
    case UInt8(ascii: "J"): initial = try number(UInt64(digits: token))
    case UInt8(ascii: "M"):
      guard token.byteCount == 1 else {
        throw Refusal(reply: "CLIENT_ERROR incorrect length for M token")
      }
      mode = token[0]
    case UInt8(ascii: "O"):
      guard token.byteCount <= Self.opaqueByteLimit else {
        throw Refusal(reply: "CLIENT_ERROR opaque token too long")
      }
    // Hints for proxies.
    case UInt8(ascii: "P"), UInt8(ascii: "L"): break
    case UInt8(ascii: "I"), UInt8(ascii: "b"), UInt8(ascii: "c"), UInt8(ascii: "f"),
      UInt8(ascii: "h"), UInt8(ascii: "k"), UInt8(ascii: "l"), UInt8(ascii: "q"),
      UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "u"), UInt8(ascii: "v"):
      break
    default: throw Refusal(reply: "CLIENT_ERROR invalid flag")
    }
    let bit = Self.bit(letter)
    guard letters & bit == 0 else { throw Refusal(reply: "CLIENT_ERROR duplicate flag") }
    letters |= bit
  }
}
