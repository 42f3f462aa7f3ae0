internal import RESP

/// Commands of Redis that this server does not have, and why.
enum MissingCommand {
  private static let reasons: [(sentence: String, names: String)] = [
    (
      "this cache stores strings, and no lists",
      """
      blmove blmpop blpop brpop brpoplpush lindex linsert llen lmove lmpop lpop lpos lpush lpushx lrange lrem \
      lset ltrim rpop rpoplpush rpush rpushx
      """
    ),
    (
      "this cache stores strings, and no hashes",
      """
      hdel hexists hexpire hget hgetall hincrby hincrbyfloat hkeys hlen hmget hmset hpersist hrandfield hscan \
      hset hsetnx hstrlen httl hvals
      """
    ),
    (
      "this cache stores strings, and no sets",
      """
      sadd scard sdiff sdiffstore sinter sintercard sinterstore sismember smembers smismember smove spop \
      srandmember srem sscan sunion sunionstore
      """
    ),
    (
      "this cache stores strings, and no sorted sets",
      """
      bzmpop bzpopmax bzpopmin geoadd geodist geohash geopos georadius georadiusbymember geosearch \
      geosearchstore zadd zcard zcount zdiff zdiffstore zincrby zinter zintercard zinterstore zlexcount zmpop \
      zmscore zpopmax zpopmin zrandmember zrange zrangebylex zrangebyscore zrangestore zrank zrem \
      zremrangebylex zremrangebyrank zremrangebyscore zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan \
      zscore zunion zunionstore
      """
    ),
    (
      "this cache stores strings, and no streams",
      """
      xack xadd xautoclaim xclaim xdel xgroup xinfo xlen xpending xrange xread xreadgroup xrevrange xsetid xtrim
      """
    ),
    ("this cache stores strings, and no sketches", "pfadd pfcount pfdebug pfmerge pfselftest"),
    (
      "this cache does not pass messages between clients",
      "psubscribe publish pubsub punsubscribe spublish ssubscribe subscribe sunsubscribe unsubscribe"
    ),
    (
      "this cache runs no scripts; SET with IFEQ and DELIFEQ compare and change in one step",
      "eval eval_ro evalsha evalsha_ro fcall fcall_ro function script"
    ),
    (
      "this cache is one server, without replicas or a cluster",
      "asking cluster failover psync readonly readwrite replconf replicaof slaveof sync"
    ),
    ("this cache has one user: see requirepass and AUTH", "acl"),
    ("this cache loads no modules", "module"),
    (
      "this cache does not move values between servers",
      "dump migrate restore restore-asking sort sort_ro"
    ),
  ]

  private static let byName: [String: String] = {
    var table: [String: String] = [:]
    for (sentence, names) in reasons {
      for name in names.split(separator: " ") { table[String(name)] = sentence }
    }
    return table
  }()

  /// Why this server does not have the command `name`; nil if Redis does not have it either.
  static func reason(for name: RawSpan) -> String? {
    guard name.byteCount <= 32 else { return nil }
    return byName[name.text.lowercased()]
  }
}
