internal import PersistentCollections
internal import ProcessHandover

/// Why a command was not carried out. Nothing has changed then.
enum CommandError: Error, Equatable {
  /// The map refused.
  case collection(PersistentCollectionError)
  /// Not an option, or not there.
  case syntax
  /// Not a number of 64 bits.
  case notInteger
  /// The sum of two numbers has more than 64 bits.
  case overflow
  /// A time that cannot be.
  case invalidTime(Command)
  /// The value does not match its checksum.
  case damagedValue
  /// The reply is longer than a client gets. Commands with so long a reply change nothing.
  case replyTooLong(limit: Int)
  /// Another sentence of Redis's.
  case sentence(String)

  /// The error reply that the client gets.
  var reply: String {
    switch self {
    case .collection(let error): error.reply
    case .syntax: "ERR syntax error"
    case .notInteger: "ERR value is not an integer or out of range"
    case .overflow: "ERR increment or decrement would overflow"
    case .invalidTime(let command): "ERR invalid expire time in '\(command.name)' command"
    case .damagedValue:
      "ERR the value of this key is damaged: it does not match its checksum. Delete the key"
    case .replyTooLong(let limit):
      "ERR the reply would be longer than \(limit) bytes (proto-max-reply-len)"
    case .sentence(let sentence): sentence
    }
  }

  static var tooLong: CommandError {
    .sentence("ERR string exceeds maximum allowed size (proto-max-bulk-len)")
  }
}

extension PersistentCollectionError {
  /// The error reply that the client gets.
  var reply: String {
    switch self {
    case .limitReached: "OOM command not allowed when used memory > 'maxmemory'."
    case .memory(.full(_, _)): "OOM the memory file has grown to its capacity and is full"
    case .memory(.outOfStorage(_)): "OOM the file system of the memory file has no more room"
    case .memory(let error): "ERR the memory file refuses: \(error)"
    case .transactionTooLarge: "ERR too many keys for one command that sets all or none"
    case .tooLarge:
      "ERR a key has at most \(PersistentByteMap.keyByteLimit) bytes, and a value at most "
        + "\(PersistentByteMap.valueByteLimit)"
    default: "ERR \(self)"
    }
  }

  /// Whether it may go once some entries are gone.
  var isShortage: Bool {
    switch self {
    case .limitReached, .memory(.full(_, _)), .memory(.outOfStorage(_)): true
    default: false
    }
  }
}
