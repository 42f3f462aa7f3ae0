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
    let flags: CommandFlags
  }

  /// The command's arity and flags.
  var entry: Entry {
    switch self {
    case .get: .init(arity: 2, flags: [.readOnly, .fast])
    case .set: .init(arity: -3, flags: [.write, .denyOOM])
    case .ping: .init(arity: -1, flags: [.fast])
    case .incr: .init(arity: 2, flags: [.write, .denyOOM, .fast])
    case .mget: .init(arity: -2, flags: [.readOnly, .fast])
    case .mset: .init(arity: -3, flags: [.write, .denyOOM])
    case .del: .init(arity: -2, flags: [.write])
    case .exists: .init(arity: -2, flags: [.readOnly, .fast])
    case .setex: .init(arity: 4, flags: [.write, .denyOOM])
    case .psetex: .init(arity: 4, flags: [.write, .denyOOM])
    case .setnx: .init(arity: 3, flags: [.write, .denyOOM, .fast])
    case .getset: .init(arity: 3, flags: [.write, .denyOOM, .fast])
    case .getdel: .init(arity: 2, flags: [.write, .fast])
    case .getex: .init(arity: -2, flags: [.write, .fast])
    case .append: .init(arity: 3, flags: [.write, .denyOOM, .fast])
    case .strlen: .init(arity: 2, flags: [.readOnly, .fast])
    case .decr: .init(arity: 2, flags: [.write, .denyOOM, .fast])
    case .incrby: .init(arity: 3, flags: [.write, .denyOOM, .fast])
    case .decrby: .init(arity: 3, flags: [.write, .denyOOM, .fast])
    case .incrbyfloat: .init(arity: 3, flags: [.write, .denyOOM, .fast])
    case .getrange: .init(arity: 4, flags: [.readOnly])
    case .setrange: .init(arity: 4, flags: [.write, .denyOOM])
    case .msetnx: .init(arity: -3, flags: [.write, .denyOOM])
    case .unlink: .init(arity: -2, flags: [.write, .fast])
    case .touch: .init(arity: -2, flags: [.readOnly, .fast])
    case .expire: .init(arity: -3, flags: [.write, .fast])
    case .pexpire: .init(arity: -3, flags: [.write, .fast])
    case .expireat: .init(arity: -3, flags: [.write, .fast])
    case .pexpireat: .init(arity: -3, flags: [.write, .fast])
    case .ttl: .init(arity: 2, flags: [.readOnly, .fast])
    case .pttl: .init(arity: 2, flags: [.readOnly, .fast])
    case .expiretime: .init(arity: 2, flags: [.readOnly, .fast])
    case .pexpiretime: .init(arity: 2, flags: [.readOnly, .fast])
    case .persist: .init(arity: 2, flags: [.write, .fast])
    case .type: .init(arity: 2, flags: [.readOnly, .fast])
    case .scan: .init(arity: -2, flags: [.readOnly])
    case .keys: .init(arity: 2, flags: [.readOnly])
    case .dbsize: .init(arity: 1, flags: [.readOnly, .fast])
    case .randomkey: .init(arity: 1, flags: [.readOnly])
    case .echo: .init(arity: 2, flags: [.loading, .stale, .fast])
    case .select: .init(arity: 2, flags: [.loading, .stale, .fast])
    case .info: .init(arity: -1, flags: [.loading, .stale])
    case .config: .init(arity: -2, flags: [])
    case .client: .init(arity: -2, flags: [])
    case .command: .init(arity: -1, flags: [.loading, .stale])
    case .flushall: .init(arity: -1, flags: [.write])
    case .flushdb: .init(arity: -1, flags: [.write])
    case .save: .init(arity: 1, flags: [.admin, .noScript, .noAsyncLoading, .noMulti])
    case .bgsave: .init(arity: -1, flags: [.admin, .noScript, .noAsyncLoading])
    case .lastsave: .init(arity: 1, flags: [.loading, .stale, .fast])
    case .shutdown:
      .init(arity: -1, flags: [.admin, .noScript, .loading, .stale, .noMulti, .allowBusy])
    case .hello:
      .init(arity: -1, flags: [.noScript, .loading, .stale, .fast, .noAuth, .allowBusy])
    case .auth:
      .init(arity: -2, flags: [.noScript, .loading, .stale, .fast, .noAuth, .allowBusy])
    case .reset:
      .init(arity: 1, flags: [.noScript, .loading, .stale, .fast, .noAuth, .allowBusy])
    case .quit:
      .init(arity: -1, flags: [.noScript, .loading, .stale, .fast, .noAuth, .allowBusy])
    case .time: .init(arity: 1, flags: [.loading, .stale, .fast])
    case .memory: .init(arity: -2, flags: [])
    case .object: .init(arity: -2, flags: [])
    case .wait: .init(arity: 3, flags: [.noScript])
    case .substr: .init(arity: 4, flags: [.readOnly])
    case .setbit: .init(arity: 4, flags: [.write, .denyOOM])
    case .getbit: .init(arity: 3, flags: [.readOnly, .fast])
    case .bitcount: .init(arity: -2, flags: [.readOnly])
    case .delifeq: .init(arity: 3, flags: [.write, .fast])
    case .delex: .init(arity: -2, flags: [.write, .fast])
    case .multi: .init(arity: 1, flags: [.noScript, .loading, .stale, .fast, .allowBusy])
    case .exec: .init(arity: 1, flags: [.noScript, .loading, .stale, .skipSlowLog])
    case .discard: .init(arity: 1, flags: [.noScript, .loading, .stale, .fast, .allowBusy])
    case .watch:
      .init(arity: -2, flags: [.noScript, .loading, .stale, .fast, .noMulti, .allowBusy])
    case .unwatch: .init(arity: 1, flags: [.noScript, .loading, .stale, .fast, .allowBusy])
    case .move: .init(arity: 3, flags: [.write, .fast])
    case .swapdb: .init(arity: 3, flags: [.write, .fast])
    case .rename: .init(arity: 3, flags: [.write])
    case .renamenx: .init(arity: 3, flags: [.write, .fast])
    case .copy: .init(arity: -3, flags: [.write, .denyOOM])
    case .slowlog: .init(arity: -2, flags: [])
    case .role: .init(arity: 1, flags: [.noScript, .loading, .stale, .fast])
    case .upgrade: .init(arity: 1, flags: [.admin, .noScript, .noAsyncLoading, .noMulti])
    }
  }

  /// The command's name, in lower case.
  public var name: String { rawValue }
}
