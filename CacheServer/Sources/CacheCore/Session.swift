internal import RESP

/// What the cache knows about a client, as long as it is connected and over an upgrade.
public struct Session: Equatable, Sendable {
  /// Which replies a client gets: `CLIENT REPLY`.
  public enum ReplyMode: UInt8, Sendable {
    /// All.
    case on
    /// None.
    case off
    /// None to the next request.
    case skipNext
    /// None to this request.
    case skip
  }

  /// A number that no other client had or will have. A successor gives another one to a client that connected to its
  /// predecessor after the numbers were handed over.
  public var id: UInt64
  /// The address from which it has connected.
  public var address = ""
  /// What it calls itself.
  public var name: [UInt8] = []
  /// The library that it says it is made with.
  public var libraryName: [UInt8] = []
  /// The version of that library.
  public var libraryVersion: [UInt8] = []
  /// Whether it has asked for RESP3.
  public var isRESP3 = false
  /// Whether it has asked not to be closed where memory is short.
  public var isNotEvicted = false
  /// The name of its last command.
  public var lastCommand: Command?
  /// What followed it, where that says what it does: `CLIENT ID`. Not kept over an upgrade.
  public var lastSubcommand = ""

  // What a command has to look at before it is carried out. All of it is summed up in `isPlain`.

  /// Whether it has given the password, or needed none when it connected.
  public var isAuthenticated = true {
    didSet { sumUp() }
  }
  /// Its database: `SELECT`.
  public var database = 0 {
    didSet { sumUp() }
  }
  /// Which replies it gets.
  public var replyMode = ReplyMode.on {
    didSet { sumUp() }
  }
  /// Whether what it reads does not count as used: `CLIENT NO-TOUCH`.
  public var isNotTouching = false {
    didSet { sumUp() }
  }
  /// What was sent since `MULTI`; nil outside of a transaction.
  public var transaction: Transaction? {
    didSet { sumUp() }
  }
  /// Whether requests of a transaction are being carried out.
  public var isExecuting: Bool { transaction?.progress != nil }
  /// Whether the connection is to be closed once its transaction has been carried out.
  public var endsAfterTransaction = false
  /// The keys that have to be the same at `EXEC`, as the map has them.
  public var watchedKeys: [[UInt8]] = []
  /// Whether the client watches keys.
  public var isWatching: Bool { !watchedKeys.isEmpty }
  /// Whether nothing of the above is out of the ordinary.
  private(set) var isPlain = true

  private mutating func sumUp() {
    isPlain =
      isAuthenticated && database == 0 && replyMode == .on && !isNotTouching && transaction == nil
  }

  /// The name of its last command, as Redis writes it: `client|id`.
  public var lastCommandName: String? {
    lastCommand.map { lastSubcommand.isEmpty ? $0.name : "\($0.name)|\(lastSubcommand)" }
  }

  /// A client that has just connected.
  public init(id: UInt64) { self.id = id }

  /// Whether Redis takes `name` for a client: no spaces, no line breaks, nothing that does not print.
  public static func isValidName(_ name: RawSpan) -> Bool {
    for index in 0..<name.byteCount where !(0x21...0x7e).contains(name[index]) { return false }
    return true
  }

  /// What is answered where `what` is not valid.
  public static func refusal(of what: String) -> String {
    "ERR \(what) cannot contain spaces, newlines or special characters."
  }
}
