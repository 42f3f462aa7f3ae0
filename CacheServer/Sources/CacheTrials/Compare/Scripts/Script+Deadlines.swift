extension ScriptTexts {
  /// EXPIRE and its relatives, and what they leave.
  static let deadlines = ScriptText(
    "deadlines",
    #"""
    SET k v
    TTL k
    PTTL k
    EXPIRETIME k
    PEXPIRETIME k
    EXPIRE k 100
    ~seconds TTL k
    ~milliseconds PTTL k
    PEXPIRE k 200000
    ~seconds TTL k
    EXPIREAT k 4102444800
    EXPIRETIME k
    PEXPIRETIME k
    PEXPIREAT k 4102444800123
    EXPIRETIME k
    PEXPIRETIME k
    PERSIST k
    PERSIST k
    TTL k
    PERSIST none
    TTL none
    PTTL none
    EXPIRETIME none
    PEXPIRETIME none
    EXPIRE none 10
    PEXPIRE none 10
    EXPIREAT none 4102444800
    PEXPIREAT none 4102444800000
    EXPIRE k 100 NX
    EXPIRE k 200 NX
    EXPIRE k 300 XX
    ~seconds TTL k
    EXPIRE k 200 GT
    EXPIRE k 400 GT
    EXPIRE k 500 LT
    EXPIRE k 50 LT
    ~seconds TTL k
    EXPIRE k 60 XX GT
    EXPIRE k 10 XX LT
    EXPIRE k 10 NX XX
    EXPIRE k 10 NX GT
    EXPIRE k 10 NX LT
    EXPIRE k 10 GT LT
    EXPIRE k 10 NOSUCH
    EXPIRE k 10 XX NOSUCH
    PERSIST k
    EXPIRE k 10 XX
    EXPIRE k 10 GT
    EXPIRE k 100 LT
    ~seconds TTL k
    EXPIRE k abc
    EXPIRE k 1.5
    EXPIRE k 9223372036854775807
    EXPIRE k -9223372036854775808
    PEXPIRE k 9223372036854775807
    EXPIREAT k 9223372036854775807
    EXPIRE k 99999999999999999999
    ~seconds TTL k
    EXPIRE k 0
    EXISTS k
    SET k v
    EXPIRE k -1
    EXISTS k
    SET k v
    PEXPIRE k 0
    GET k
    SET k v
    EXPIREAT k 1
    DBSIZE
    SET k v
    PEXPIREAT k 1
    DBSIZE
    SET k v
    PEXPIREAT k -1
    EXISTS k
    SET k v PX 40
    !gone k
    GET k
    TTL k
    PTTL k
    DBSIZE
    SETEX short 1 v
    PEXPIRE short 30
    !gone short
    STRLEN short
    INCR short
    TTL short
    SET a v PX 30
    SET b v PX 30
    SET c v
    !gone a
    !gone b
    MGET a b c
    EXISTS a b c
    DEL a b c
    SET x v EX 100
    SET x w
    TTL x
    SET x v EX 100
    APPEND x w
    ~seconds TTL x
    SET x v EX 100
    GETSET x w
    TTL x
    SET x v EX 100
    MSET x w
    TTL x
    SET x v EX 100
    SETRANGE x 1 yz
    ~seconds TTL x
    SET x v EX 100
    GETDEL x
    TTL x
    EXPIRE
    EXPIRE x
    PEXPIRE x
    EXPIREAT x
    TTL
    PTTL
    TTL a b
    PERSIST
    PERSIST a b
    EXPIRETIME
    PEXPIRETIME a b
    """#)
}
