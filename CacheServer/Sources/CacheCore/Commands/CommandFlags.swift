/// What a command does and when it may be carried out, as `COMMAND` reports it.
///
/// Source: the command flags that the documentation of Redis's `COMMAND` describes.
struct CommandFlags: OptionSet, Sendable {
  let rawValue: UInt16

  static let write = CommandFlags(rawValue: 1 << 0)
  static let readOnly = CommandFlags(rawValue: 1 << 1)
  static let denyOOM = CommandFlags(rawValue: 1 << 2)
  static let admin = CommandFlags(rawValue: 1 << 3)
  static let noScript = CommandFlags(rawValue: 1 << 4)
  static let loading = CommandFlags(rawValue: 1 << 5)
  static let stale = CommandFlags(rawValue: 1 << 6)
  static let skipSlowLog = CommandFlags(rawValue: 1 << 7)
  static let fast = CommandFlags(rawValue: 1 << 8)
  static let noAuth = CommandFlags(rawValue: 1 << 9)
  static let noAsyncLoading = CommandFlags(rawValue: 1 << 10)
  static let noMulti = CommandFlags(rawValue: 1 << 11)
  static let allowBusy = CommandFlags(rawValue: 1 << 12)

  /// Redis's word for each flag, from the lowest bit.
  private static let allWords = [
    "write", "readonly", "denyoom", "admin", "noscript", "loading", "stale", "skip_slowlog", "fast",
    "no_auth", "no_async_loading", "no_multi", "allow_busy",
  ]

  /// Redis's words for the flags, in the order in which Redis reports them.
  var words: [String] {
    Self.allWords.enumerated().filter { rawValue & 1 << $0.offset != 0 }.map(\.element)
  }
}
