/// A command that the cache knows, by Redis's name for it.
public enum Command: String, CaseIterable, Sendable {
  case get, set, incr, mget, mset, setex, psetex, setnx, getset, getdel, getex, append,
    strlen, decr, incrby, decrby, incrbyfloat, getrange, setrange, msetnx
  case substr, setbit, getbit, bitcount, delifeq, delex
  case multi, exec, discard, watch, unwatch
  case move, swapdb, rename, renamenx, copy
  case del, exists, unlink, touch, expire, pexpire, expireat, pexpireat, ttl, pttl,
    expiretime, pexpiretime, persist, type, scan, keys, randomkey, object, wait
  case ping, echo, select, client, hello, auth, reset, quit
  case dbsize, info, config, command, flushall, flushdb, save, bgsave, lastsave, shutdown,
    time, memory, slowlog, role
  /// Not a command of Redis: starts the program anew and hands everything over to it.
  case upgrade

  /// What is looked at before a command is carried out.
  struct Entry {
    /// The number of arguments, with the name; negative where there may be more.
    let arity: Int
    let flags: String
  }

  /// The command's arity and flags.
  var entry: Entry {
    switch self {
    case .get: .init(arity: 2, flags: "readonly fast")
    case .set: .init(arity: -3, flags: "write denyoom")
    case .ping: .init(arity: -1, flags: "fast")
    case .incr: .init(arity: 2, flags: "write denyoom fast")
    case .mget: .init(arity: -2, flags: "readonly fast")
    case .mset: .init(arity: -3, flags: "write denyoom")
    case .del: .init(arity: -2, flags: "write")
    case .exists: .init(arity: -2, flags: "readonly fast")
    case .setex: .init(arity: 4, flags: "write denyoom")
    case .psetex: .init(arity: 4, flags: "write denyoom")
    case .setnx: .init(arity: 3, flags: "write denyoom fast")
    case .getset: .init(arity: 3, flags: "write denyoom fast")
    case .getdel: .init(arity: 2, flags: "write fast")
    case .getex: .init(arity: -2, flags: "write fast")
    case .append: .init(arity: 3, flags: "write denyoom fast")
    case .strlen: .init(arity: 2, flags: "readonly fast")
    case .decr: .init(arity: 2, flags: "write denyoom fast")
    case .incrby: .init(arity: 3, flags: "write denyoom fast")
    case .decrby: .init(arity: 3, flags: "write denyoom fast")
    case .incrbyfloat: .init(arity: 3, flags: "write denyoom fast")
    case .getrange: .init(arity: 4, flags: "readonly")
    case .setrange: .init(arity: 4, flags: "write denyoom")
    case .msetnx: .init(arity: -3, flags: "write denyoom")
    case .unlink: .init(arity: -2, flags: "write fast")
    case .touch: .init(arity: -2, flags: "readonly fast")
    case .expire: .init(arity: -3, flags: "write fast")
    case .pexpire: .init(arity: -3, flags: "write fast")
    case .expireat: .init(arity: -3, flags: "write fast")
    case .pexpireat: .init(arity: -3, flags: "write fast")
    case .ttl: .init(arity: 2, flags: "readonly fast")
    case .pttl: .init(arity: 2, flags: "readonly fast")
    case .expiretime: .init(arity: 2, flags: "readonly fast")
    case .pexpiretime: .init(arity: 2, flags: "readonly fast")
    case .persist: .init(arity: 2, flags: "write fast")
    case .type: .init(arity: 2, flags: "readonly fast")
    case .scan: .init(arity: -2, flags: "readonly")
    case .keys: .init(arity: 2, flags: "readonly")
    case .dbsize: .init(arity: 1, flags: "readonly fast")
    case .randomkey: .init(arity: 1, flags: "readonly")
    case .echo: .init(arity: 2, flags: "loading stale fast")
    case .select: .init(arity: 2, flags: "loading stale fast")
    case .info: .init(arity: -1, flags: "loading stale")
    case .config: .init(arity: -2, flags: "")
    case .client: .init(arity: -2, flags: "")
    case .command: .init(arity: -1, flags: "loading stale")
    case .flushall: .init(arity: -1, flags: "write")
    case .flushdb: .init(arity: -1, flags: "write")
    case .save: .init(arity: 1, flags: "admin noscript no_async_loading no_multi")
    case .bgsave: .init(arity: -1, flags: "admin noscript no_async_loading")
    case .lastsave: .init(arity: 1, flags: "loading stale fast")
    case .shutdown:
      .init(arity: -1, flags: "admin noscript loading stale no_multi allow_busy")
    case .hello:
      .init(arity: -1, flags: "noscript loading stale fast no_auth allow_busy")
    case .auth:
      .init(arity: -2, flags: "noscript loading stale fast no_auth allow_busy")
    case .reset:
      .init(arity: 1, flags: "noscript loading stale fast no_auth allow_busy")
    case .quit:
      .init(arity: -1, flags: "noscript loading stale fast no_auth allow_busy")
    case .time: .init(arity: 1, flags: "loading stale fast")
    case .memory: .init(arity: -2, flags: "")
    case .object: .init(arity: -2, flags: "")
    case .wait: .init(arity: 3, flags: "noscript")
    case .substr: .init(arity: 4, flags: "readonly")
    case .setbit: .init(arity: 4, flags: "write denyoom")
    case .getbit: .init(arity: 3, flags: "readonly fast")
    case .bitcount: .init(arity: -2, flags: "readonly")
    case .delifeq: .init(arity: 3, flags: "write fast")
    case .delex: .init(arity: -2, flags: "write fast")
    case .multi: .init(arity: 1, flags: "noscript loading stale fast allow_busy")
    case .exec: .init(arity: 1, flags: "noscript loading stale skip_slowlog")
    case .discard: .init(arity: 1, flags: "noscript loading stale fast allow_busy")
    case .watch: .init(arity: -2, flags: "noscript loading stale fast no_multi allow_busy")
    case .unwatch: .init(arity: 1, flags: "noscript loading stale fast allow_busy")
    case .move: .init(arity: 3, flags: "write fast")
    case .swapdb: .init(arity: 3, flags: "write fast")
    case .rename: .init(arity: 3, flags: "write")
    case .renamenx: .init(arity: 3, flags: "write fast")
    case .copy: .init(arity: -3, flags: "write denyoom")
    case .slowlog: .init(arity: -2, flags: "")
    case .role: .init(arity: 1, flags: "noscript loading stale fast")
    case .upgrade: .init(arity: 1, flags: "admin noscript no_async_loading no_multi")
    }
  }

  /// The command's name, in lower case.
  public var name: String { rawValue }
}
