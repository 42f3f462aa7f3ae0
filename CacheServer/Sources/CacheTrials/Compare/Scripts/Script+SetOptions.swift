extension ScriptTexts {
  /// SET and GETEX with every option, alone and together.
  static let setOptions = ScriptText(
    "options of SET and GETEX",
    #"""
    SET k v NX
    SET k w NX
    GET k
    SET k x XX
    SET none v XX
    EXISTS none
    SET k y GET
    SET none z GET
    GET none
    SET k v XX GET
    SET k v NX GET
    SET fresh v NX GET
    GET fresh
    SET k v NX XX
    SET k v xx nx
    SET k v EX 100
    ~seconds TTL k
    SET k v KEEPTTL
    ~seconds TTL k
    SET k v
    TTL k
    SET k v PX 100000
    ~milliseconds PTTL k
    SET k v EXAT 4102444800
    EXPIRETIME k
    SET k v PXAT 4102444800123
    PEXPIRETIME k
    SET k v EX 0
    SET k v EX -1
    SET k v PX 0
    SET k v PX -5
    SET k v EXAT 0
    SET k v PXAT -1
    SET k v EX
    SET k v EX abc
    SET k v PX 1.5
    SET k v EX 9223372036854775807
    SET k v EX 9223372036854775808
    SET k v PX 9223372036854775807
    SET k v EX 9223372036854775
    SET k v EX 100 PX 100
    SET k v EX 100 KEEPTTL
    SET k v KEEPTTL EX 100
    SET k v PX 100 EXAT 100
    SET k v EX 10 EX 10
    SET k v NX NX
    GET k
    SET k v KEEPTTL KEEPTTL
    SET k v NOSUCH
    SET k v nosuch EX 10
    SET k v GET GET
    SET k v EX 100 NX GET
    SET k v XX EX 100
    ~seconds TTL k
    SET k v xx ex 50 get
    ~seconds TTL k
    SET k v EXAT 1
    EXISTS k
    SET k2 v PXAT 1
    GET k2
    SET k3 v EXAT 1 NX
    DBSIZE
    SET k v
    GETEX k
    GETEX k EX 100
    ~seconds TTL k
    GETEX k PX 200000
    ~milliseconds PTTL k
    GETEX k EXAT 4102444800
    EXPIRETIME k
    GETEX k PXAT 4102444800999
    PEXPIRETIME k
    GETEX k PERSIST
    TTL k
    GETEX k PERSIST EX 10
    GETEX k EX 10 PERSIST
    GETEX k EX
    GETEX k EX 0
    GETEX k EX -1
    GETEX k PX nan
    GETEX k KEEPTTL
    GETEX k EX 10 PX 10
    GETEX k NX
    GETEX none EX 10
    GETEX none EX 0
    GETEX none PERSIST
    GETEX none NOSUCH
    GETEX k EXAT 1
    EXISTS k
    GETEX
    SETEX k 100 v
    ~seconds TTL k
    SETEX k 0 v
    SETEX k -1 v
    SETEX k x v
    SETEX k 100
    PSETEX k 100000 v
    ~milliseconds PTTL k
    PSETEX k 0 v
    PSETEX k 99999999999999999999 v
    SETEX k 9223372036854775807 v
    """#)
}
