extension ScriptTexts {
  /// Commands of several keys.
  static let several = ScriptText(
    "several keys at once",
    #"""
    MSET a 1 b 2 c 3
    MGET a b c
    MGET a none c a
    MGET none
    MSET a 1 b
    MSET
    MSET a
    MGET
    MSET a 1 a 2
    GET a
    MSETNX a 9 new 9
    EXISTS new
    MSETNX new 1 newer 2
    MGET new newer
    MSETNX one
    MSETNX one 1 two
    MSETNX twice 1 twice 2
    GET twice
    EXISTS a b c none
    EXISTS a a a
    EXISTS none
    EXISTS
    DEL none
    DEL a
    DEL a b none c
    DEL
    UNLINK new newer none
    UNLINK
    UNLINK twice twice
    TOUCH none
    MSET a 1 b 2
    TOUCH a b none
    TOUCH
    DBSIZE
    DBSIZE x
    MSET {100*k} {1000*v} {101*k} {1001*v}
    MGET {100*k} {101*k} {102*k}
    FLUSHALL
    DBSIZE
    SET a 1
    FLUSHALL ASYNC
    DBSIZE
    SET a 1
    FLUSHALL SYNC
    DBSIZE
    SET a 1
    FLUSHDB
    FLUSHDB ASYNC
    FLUSHALL NOSUCH
    FLUSHALL ASYNC SYNC
    DBSIZE
    RANDOMKEY
    SET only 1
    RANDOMKEY
    RANDOMKEY x
    """#)
}
