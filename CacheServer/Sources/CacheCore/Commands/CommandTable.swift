internal import RESP

/// Finds a command by its name, in upper or lower case, without making a string of it.
///
/// The first 16 bytes of a name are two words, by which a slot is chosen and compared; no name is
/// longer.
struct CommandTable {
  struct Slot {
    var low: UInt64 = 0
    var high: UInt64 = 0
    var command: Command?
    var arity: Int = 0
    var growsMemory = false
    var hasSubcommands = false
    /// Its place among all commands.
    var index = 0
    /// The first argument that is a key, 0 for none; the last, counted from the end where it is negative;
    /// and how far they are apart.
    var firstKey = 0
    var lastKey = 0
    var keyStep = 1
    var isWrite = false
    /// Whether it waits for EXEC in a transaction.
    var isQueued = true
    /// Whether it may be in one.
    var mayBeQueued = true
    /// Whether a client that has not given the password may send it.
    var needsNoPassword = false

    /// Whether the command takes `count` arguments, its name with them.
    @inline(__always)
    func takes(_ count: Int) -> Bool { arity >= 0 ? count == arity : count >= -arity }
  }

  private static let slotCount = 256
  private let slots: [Slot]

  init() {
    var slots = [Slot](repeating: Slot(), count: Self.slotCount)
    for (place, command) in Command.allCases.enumerated() {
      let entry = command.entry
      let keys = command.keys
      let flags = entry.flags
      let name = Array(command.name.utf8)
      guard let (low, high) = Self.words(of: name.rawSpan) else {
        preconditionFailure("a command's name is too long")
      }
      var index = Self.index(low, high)
      while slots[index].command != nil { index = (index + 1) % Self.slotCount }
      slots[index] = Slot(
        low: low, high: high, command: command, arity: entry.arity,
        growsMemory: flags.contains(.denyOOM),
        hasSubcommands: command.hasSubcommands,
        index: place, firstKey: keys?.first ?? 0, lastKey: keys?.last ?? 0,
        keyStep: keys?.step ?? 1, isWrite: flags.contains(.write),
        isQueued: command.isQueued,
        mayBeQueued: !flags.contains(.noMulti),
        needsNoPassword: flags.contains(.noAuth))
    }
    self.slots = slots
  }

  /// The slot of the command called `name`; a slot without a command for an unknown name.
  @inline(__always)
  func slot(of name: RawSpan) -> Slot {
    guard let (low, high) = Self.words(of: name) else { return Slot() }
    var index = Self.index(low, high)
    // There are far more slots than commands, so an empty one ends this.
    while slots[index].command != nil {
      if slots[index].low == low, slots[index].high == high { return slots[index] }
      index = (index &+ 1) & (Self.slotCount &- 1)
    }
    return Slot()
  }

  /// The name in lower case; nil where it is empty or longer than any.
  @inline(__always)
  private static func words(of name: RawSpan) -> (UInt64, UInt64)? {
    let count = name.byteCount
    guard count > 0, count <= 16 else { return nil }
    var low: UInt64 = 0
    var high: UInt64 = 0
    for index in 0..<min(count, 8) {
      low |= UInt64(name[index].lowercased) &<< UInt64(index &* 8)
    }
    if count > 8 {
      for index in 8..<count {
        high |= UInt64(name[index].lowercased) &<< UInt64((index &- 8) &* 8)
      }
    }
    return (low, high)
  }

  @inline(__always)
  private static func index(_ low: UInt64, _ high: UInt64) -> Int {
    Int(truncatingIfNeeded: ((low ^ high) &* 0x9e37_79b9_7f4a_7c15) &>> 56)
  }
}

extension Command {
  /// Whether the first argument names what it does.
  fileprivate var hasSubcommands: Bool {
    switch self {
    case .client, .config, .command, .object, .memory, .slowlog: true
    default: false
    }
  }

  /// Whether it waits for EXEC in a transaction.
  fileprivate var isQueued: Bool {
    switch self {
    case .multi, .exec, .discard, .watch, .quit, .reset: false
    default: true
    }
  }

  /// Where its keys are; also of those commands whose keys follow a subcommand.
  var keys: CommandDetails.Keys? {
    switch self {
    case .object, .memory: CommandDetails.Keys(first: 2, last: 2, step: 1, flags: "")
    default: details.keys
    }
  }
}
