/// A setting under the name that redis.conf has for it: what the command line, the configuration file,
/// `CONFIG GET` and `CONFIG SET` have in common.
public struct Directive: Sendable {
  /// The name, in lower case.
  public let name: String
  /// What `--help` prints about it.
  public let help: String
  private let read: @Sendable (Settings) -> String
  private let write: @Sendable (String, inout Settings) throws(DirectiveRefusal) -> Void

  /// All of them, in the order in which `CONFIG GET *` gives them.
  public static let all: [Directive] = [
    .byteCount(
      "maxmemory", "Bytes of the memory file that entries may take, as 100mb.",
      { $0.maximumByteCount }, { $0.maximumByteCount = $1 }),
    .choice(
      "maxmemory-policy", "What happens when they take more.", { $0.policy }, { $0.policy = $1 }),
    .integer(
      "maxmemory-samples", "Entries that an eviction looks at.", { $0.sampleCount },
      { $0.sampleCount = $1 },
      Settings.sampleCounts),
    .integer(
      "lfu-log-factor", "How slowly the count of an entry's uses grows.", { $0.frequencyLogFactor },
      { $0.frequencyLogFactor = $1 },
      0...Int(Int32.max)),
    .integer(
      "lfu-decay-time", "Minutes after which it loses one; 0 for never.",
      { $0.frequencyDecayMinutes }, { $0.frequencyDecayMinutes = $1 }, 0...Int(Int32.max)),
    .integer(
      "slowlog-log-slower-than", "Microseconds from which on a command is slow; -1 for never.",
      { $0.slowMicroseconds }, { $0.slowMicroseconds = $1 }, -1...Int.max),
    .integer(
      "slowlog-max-len", "How many slow commands are kept.", { $0.slowLogLength },
      { $0.slowLogLength = $1 }, 0...1_000_000),
    .bytes(
      "requirepass", "The password that clients give with AUTH.", { $0.password },
      { $0.password = $1 }),
    .flag(
      "protected-mode", "Whether a server without a password serves only its own machine.",
      { $0.isProtected }, { $0.isProtected = $1 }),
    .integer(
      "tcp-keepalive", "Seconds of silence after which a client is probed; 0 for never.",
      { $0.keepAliveSeconds }, { $0.keepAliveSeconds = $1 }, 0...Int(Int32.max)),
    .integer(
      "timeout", "Seconds of silence after which a client is disconnected; 0 for never.",
      { $0.idleSeconds }, { $0.idleSeconds = $1 }, 0...Int(Int32.max)),
    .byteCount(
      "memcached-item-size-max", "Bytes that an item of the memcached protocol may have, as 1mb.",
      { $0.memcachedItemByteLimit }, { $0.memcachedItemByteLimit = $1 },
      Settings.memcachedItemByteLimits),
    .byteCount(
      "proto-max-reply-len",
      "Bytes that the replies to one command or one transaction may take, as 1gb.",
      { $0.replyByteLimit }, { $0.replyByteLimit = $1 }, Settings.replyByteLimits),
    .flag(
      "value-checksums", "Whether values get a checksum, which is compared when they are read.",
      { $0.checksValues }, { $0.checksValues = $1 }),
  ]

  /// The directive called `name`, in lower case, or `nil` for an unknown name.
  ///
  /// - Complexity: O(directives).
  public static func named(_ name: String) -> Directive? { all.first { $0.name == name } }

  /// The value in `settings`, as text that ``set(_:in:)`` takes.
  public func value(in settings: Settings) -> String { read(settings) }

  /// Changes the value in `settings`.
  ///
  /// - Throws: ``DirectiveRefusal``; `settings` is unchanged then.
  public func set(_ text: String, in settings: inout Settings) throws(DirectiveRefusal) {
    try write(text, &settings)
  }
}

/// Why a value is not one for a directive, in Redis's words.
public struct DirectiveRefusal: Error, Equatable, Sendable {
  /// The reason, without the directive's name.
  public let reason: String
}

extension Directive {
  // Not key paths: the runtime makes each while the program runs, by some 30,000 instructions.
  private typealias Getter<Value> = @Sendable (Settings) -> Value
  private typealias Setter<Value> = @Sendable (inout Settings, Value) -> Void

  private static func byteCount(
    _ name: String, _ help: String, _ get: @escaping Getter<UInt64>,
    _ set: @escaping Setter<UInt64>,
    _ range: ClosedRange<UInt64> = 0...UInt64.max
  ) -> Directive {
    Directive(name: name, help: help, read: { String(get($0)) }) {
      (text, settings) throws(DirectiveRefusal) in
      guard let value = ByteCountText.parse(text) else {
        throw DirectiveRefusal(reason: "argument must be a memory value")
      }
      guard range.contains(value) else {
        throw DirectiveRefusal(
          reason: "argument must be between \(range.lowerBound) and \(range.upperBound) inclusive")
      }
      set(&settings, value)
    }
  }

  private static func integer(
    _ name: String, _ help: String, _ get: @escaping Getter<Int>, _ set: @escaping Setter<Int>,
    _ range: ClosedRange<Int>
  ) -> Directive {
    Directive(name: name, help: help, read: { String(get($0)) }) {
      (text, settings) throws(DirectiveRefusal) in
      guard let value = Int(text) else {
        throw DirectiveRefusal(reason: "argument couldn't be parsed into an integer")
      }
      guard range.contains(value) else {
        throw DirectiveRefusal(
          reason: "argument must be between \(range.lowerBound) and \(range.upperBound) inclusive")
      }
      set(&settings, value)
    }
  }

  private static func flag(
    _ name: String, _ help: String, _ get: @escaping Getter<Bool>, _ set: @escaping Setter<Bool>
  ) -> Directive {
    Directive(name: name, help: help, read: { get($0) ? "yes" : "no" }) {
      (text, settings) throws(DirectiveRefusal) in
      switch text.lowercased() {
      case "yes": set(&settings, true)
      case "no": set(&settings, false)
      default: throw DirectiveRefusal(reason: "argument must be 'yes' or 'no'")
      }
    }
  }

  private static func choice<Value: RawRepresentable<String> & CaseIterable & Sendable>(
    _ name: String, _ help: String, _ get: @escaping Getter<Value>, _ set: @escaping Setter<Value>
  ) -> Directive {
    let all = Value.allCases.map(\.rawValue).joined(separator: ", ")
    return Directive(name: name, help: help, read: { get($0).rawValue }) {
      (text, settings) throws(DirectiveRefusal) in
      guard let value = Value(rawValue: text.lowercased()) else {
        throw DirectiveRefusal(reason: "argument(s) must be one of the following: \(all)")
      }
      set(&settings, value)
    }
  }

  private static func bytes(
    _ name: String, _ help: String, _ get: @escaping Getter<[UInt8]>,
    _ set: @escaping Setter<[UInt8]>
  ) -> Directive {
    Directive(
      name: name, help: help, read: { String(decoding: get($0), as: UTF8.self) }
    ) { (text, settings) throws(DirectiveRefusal) in
      set(&settings, Array(text.utf8))
    }
  }
}
