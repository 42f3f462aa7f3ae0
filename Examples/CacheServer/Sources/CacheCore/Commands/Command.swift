/// A command that the cache knows, by Redis's name for it.
public enum Command: UInt8, CaseIterable, Sendable {
  case get, set, incr, mget, mset, setex, psetex, setnx, getset, getdel, getex, append,
    strlen, decr, incrby, decrby, incrbyfloat, getrange, setrange, msetnx
  case del, exists, unlink, touch, expire, pexpire, expireat, pexpireat, ttl, pttl,
    expiretime, pexpiretime, persist, type, scan, keys, randomkey, object, wait
  case ping, echo, select, client, hello, reset, quit
  case dbsize, info, config, command, flushall, flushdb, save, bgsave, lastsave, shutdown,
    time, memory
  /// Not a command of Redis: starts the program anew and hands everything over to it.
  case upgrade

  /// What is looked at before a command is carried out.
  struct Entry {
    let name: String
    /// How many arguments there are, with the name; negative where there may be more.
    let arity: Int
    let flags: String
  }

  /// The command's name, arity and flags.
  var entry: Entry {
    switch self {
    case .get: .init(name: "get", arity: 2, flags: "readonly fast")
    case .set: .init(name: "set", arity: -3, flags: "write denyoom")
    case .ping: .init(name: "ping", arity: -1, flags: "fast")
    case .incr: .init(name: "incr", arity: 2, flags: "write denyoom fast")
    case .mget: .init(name: "mget", arity: -2, flags: "readonly fast")
    case .mset: .init(name: "mset", arity: -3, flags: "write denyoom")
    case .del: .init(name: "del", arity: -2, flags: "write")
    case .exists: .init(name: "exists", arity: -2, flags: "readonly fast")
    case .setex: .init(name: "setex", arity: 4, flags: "write denyoom")
    case .psetex: .init(name: "psetex", arity: 4, flags: "write denyoom")
    case .setnx: .init(name: "setnx", arity: 3, flags: "write denyoom fast")
    case .getset: .init(name: "getset", arity: 3, flags: "write denyoom fast")
    case .getdel: .init(name: "getdel", arity: 2, flags: "write fast")
    case .getex: .init(name: "getex", arity: -2, flags: "write fast")
    case .append: .init(name: "append", arity: 3, flags: "write denyoom fast")
    case .strlen: .init(name: "strlen", arity: 2, flags: "readonly fast")
    case .decr: .init(name: "decr", arity: 2, flags: "write denyoom fast")
    case .incrby: .init(name: "incrby", arity: 3, flags: "write denyoom fast")
    case .decrby: .init(name: "decrby", arity: 3, flags: "write denyoom fast")
    case .incrbyfloat: .init(name: "incrbyfloat", arity: 3, flags: "write denyoom fast")
    case .getrange: .init(name: "getrange", arity: 4, flags: "readonly")
    case .setrange: .init(name: "setrange", arity: 4, flags: "write denyoom")
    case .msetnx: .init(name: "msetnx", arity: -3, flags: "write denyoom")
    case .unlink: .init(name: "unlink", arity: -2, flags: "write fast")
    case .touch: .init(name: "touch", arity: -2, flags: "readonly fast")
    case .expire: .init(name: "expire", arity: -3, flags: "write fast")
    case .pexpire: .init(name: "pexpire", arity: -3, flags: "write fast")
    case .expireat: .init(name: "expireat", arity: -3, flags: "write fast")
    case .pexpireat: .init(name: "pexpireat", arity: -3, flags: "write fast")
    case .ttl: .init(name: "ttl", arity: 2, flags: "readonly fast")
    case .pttl: .init(name: "pttl", arity: 2, flags: "readonly fast")
    case .expiretime: .init(name: "expiretime", arity: 2, flags: "readonly fast")
    case .pexpiretime: .init(name: "pexpiretime", arity: 2, flags: "readonly fast")
    case .persist: .init(name: "persist", arity: 2, flags: "write fast")
    case .type: .init(name: "type", arity: 2, flags: "readonly fast")
    case .scan: .init(name: "scan", arity: -2, flags: "readonly")
    case .keys: .init(name: "keys", arity: 2, flags: "readonly")
    case .dbsize: .init(name: "dbsize", arity: 1, flags: "readonly fast")
    case .randomkey: .init(name: "randomkey", arity: 1, flags: "readonly")
    case .echo: .init(name: "echo", arity: 2, flags: "loading stale fast")
    case .select: .init(name: "select", arity: 2, flags: "loading stale fast")
    case .info: .init(name: "info", arity: -1, flags: "loading stale")
    case .config: .init(name: "config", arity: -2, flags: "")
    case .client: .init(name: "client", arity: -2, flags: "")
    case .command: .init(name: "command", arity: -1, flags: "loading stale")
    case .flushall: .init(name: "flushall", arity: -1, flags: "write")
    case .flushdb: .init(name: "flushdb", arity: -1, flags: "write")
    case .save: .init(name: "save", arity: 1, flags: "admin noscript no_async_loading no_multi")
    case .bgsave: .init(name: "bgsave", arity: -1, flags: "admin noscript no_async_loading")
    case .lastsave: .init(name: "lastsave", arity: 1, flags: "loading stale fast")
    case .shutdown:
      .init(name: "shutdown", arity: -1, flags: "admin noscript loading stale no_multi allow_busy")
    case .hello:
      .init(name: "hello", arity: -1, flags: "noscript loading stale fast no_auth allow_busy")
    case .reset:
      .init(name: "reset", arity: 1, flags: "noscript loading stale fast no_auth allow_busy")
    case .quit:
      .init(name: "quit", arity: -1, flags: "noscript loading stale fast no_auth allow_busy")
    case .time: .init(name: "time", arity: 1, flags: "loading stale fast")
    case .memory: .init(name: "memory", arity: -2, flags: "")
    case .object: .init(name: "object", arity: -2, flags: "")
    case .wait: .init(name: "wait", arity: 3, flags: "noscript")
    case .upgrade: .init(name: "upgrade", arity: 1, flags: "admin noscript no_async_loading")
    }
  }

  /// The command's name, in lower case.
  public var name: String { entry.name }
}
