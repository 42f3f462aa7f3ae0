internal import RESP

/// The commands of the memcached protocol that the server has.
///
/// Names and meaning: doc/protocol.txt of memcached 1.6.18.
public enum MemcachedVerb: Equatable, Sendable {
  case get, gets, gat, gats
  case set, add, replace, append, prepend, cas
  case incr, decr, delete, touch
  case flushAll, stats, version, verbosity, quit, cacheMemoryLimit, shutdown
  case metaGet, metaSet, metaDelete, metaArithmetic, metaDebug, metaNoOp

  /// The command called `word`, which is compared byte by byte; nil if none exists.
  public init?(_ word: RawSpan) {
    guard word.byteCount <= 8 else {
      switch word.text {
      case "flush_all": self = .flushAll
      case "verbosity": self = .verbosity
      case "cache_memlimit": self = .cacheMemoryLimit
      default: return nil
      }
      return
    }
    var letters: UInt64 = 0
    for index in 0..<word.byteCount { letters = letters << 8 | UInt64(word[index]) }
    // The letters of the name, as a number.
    switch letters {
    case 0x67_6574: self = .get
    case 0x73_6574: self = .set
    case 0x6765_7473: self = .gets
    case 0x6d67: self = .metaGet
    case 0x6d73: self = .metaSet
    case 0x6d64: self = .metaDelete
    case 0x6d61: self = .metaArithmetic
    case 0x6d65: self = .metaDebug
    case 0x6d6e: self = .metaNoOp
    case 0x61_6464: self = .add
    case 0x63_6173: self = .cas
    case 0x67_6174: self = .gat
    case 0x6761_7473: self = .gats
    case 0x696e_6372: self = .incr
    case 0x6465_6372: self = .decr
    case 0x6465_6c65_7465: self = .delete
    case 0x74_6f75_6368: self = .touch
    case 0x61_7070_656e_64: self = .append
    case 0x70_7265_7065_6e64: self = .prepend
    case 0x72_6570_6c61_6365: self = .replace
    case 0x73_7461_7473: self = .stats
    case 0x76_6572_7369_6f6e: self = .version
    case 0x7175_6974: self = .quit
    case 0x7368_7574_646f_776e: self = .shutdown
    default: return nil
    }
  }

  /// Whether keys follow until the end of the line.
  public var isRetrieval: Bool {
    switch self {
    case .get, .gets, .gat, .gats: true
    default: false
    }
  }

  /// Whether it can change what is stored.
  public var isWrite: Bool {
    switch self {
    case .get, .gets, .stats, .version, .verbosity, .quit, .shutdown, .metaDebug, .metaNoOp: false
    default: true
    }
  }
}
