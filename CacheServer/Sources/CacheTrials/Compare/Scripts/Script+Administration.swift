extension ScriptTexts {
  /// INFO, CONFIG, COMMAND, SAVE and limits.
  static let administration = ScriptText(
    "administration",
    #"""
    ~info INFO
    ~info INFO server
    ~info INFO SERVER
    ~info INFO memory
    ~info INFO clients
    ~info INFO stats
    ~info INFO replication
    ~info INFO persistence
    ~info INFO keyspace stats
    ~info INFO everything
    ~info INFO all
    ~info INFO default
    INFO nosuch
    INFO keyspace
    SET a 1 EX 1000
    SET b 2
    ~info INFO keyspace
    CONFIG GET maxmemory
    CONFIG GET MAXMEMORY
    CONFIG GET maxmemory-policy
    CONFIG GET maxmemory-samples
    ~config CONFIG GET maxmemory*
    ~config CONFIG GET *
    CONFIG GET nosuch
    ~config CONFIG GET maxmemory maxmemory-policy
    CONFIG GET save
    CONFIG GET appendonly
    CONFIG GET databases
    CONFIG GET
    CONFIG SET maxmemory 100mb
    CONFIG GET maxmemory
    CONFIG SET maxmemory 1GB
    CONFIG GET maxmemory
    CONFIG SET maxmemory 12345678
    CONFIG GET maxmemory
    CONFIG SET maxmemory x
    CONFIG SET MaxMemory x
    CONFIG SET NoSuch x
    CONFIG SET maxmemory 1tb
    CONFIG SET maxmemory -1
    CONFIG SET maxmemory 0
    CONFIG SET maxmemory-policy allkeys-lru
    CONFIG GET maxmemory-policy
    CONFIG SET maxmemory-policy noeviction
    CONFIG SET maxmemory-samples 10
    CONFIG GET maxmemory-samples
    CONFIG SET maxmemory-samples x
    CONFIG SET maxmemory-samples 5
    CONFIG SET maxmemory 200mb maxmemory-samples 7
    CONFIG GET maxmemory-samples
    CONFIG SET maxmemory 0 maxmemory-samples 5
    CONFIG SET nosuch 1
    CONFIG SET maxmemory
    CONFIG SET maxmemory 1 maxmemory-samples
    CONFIG SET maxmemory 1 MAXMEMORY 2
    CONFIG SET
    CONFIG NOSUCH
    CONFIG
    CONFIG RESETSTAT
    CONFIG RESETSTAT x
    CONFIG REWRITE
    CONFIG SET maxmemory 1
    SET over limit
    APPEND b over
    INCR b
    MSET x 1
    GETSET b 1
    SETRANGE b 0 x
    GET b
    TTL b
    DEL b
    EXISTS b
    CONFIG SET maxmemory 0
    SET under limit
    ~number COMMAND COUNT
    COMMAND COUNT x
    COMMAND INFO get
    COMMAND INFO set
    COMMAND INFO GET nosuch mset
    COMMAND INFO del expire scan ttl
    COMMAND INFO incr append mget
    COMMAND INFO ping echo select hello
    COMMAND INFO getex getdel setex persist type keys
    COMMAND GETKEYS SET a b
    COMMAND GETKEYS MSET a 1 b 2 c 3
    COMMAND GETKEYS MGET a b
    COMMAND GETKEYS PING
    COMMAND GETKEYS PING x
    COMMAND GETKEYS NOSUCH
    COMMAND GETKEYS NOSUCH x
    COMMAND GETKEYS SET x
    COMMAND GETKEYS GET
    COMMAND GETKEYS
    ~subset COMMAND LIST
    COMMAND LIST NOSUCH
    COMMAND LIST FILTERBY NOSUCH x
    COMMAND NOSUCH
    SAVE
    SAVE x
    ~number LASTSAVE
    LASTSAVE x
    BGSAVE x
    ~number MEMORY USAGE under
    ~number MEMORY USAGE under SAMPLES 5
    MEMORY USAGE none
    MEMORY USAGE under SAMPLES x
    MEMORY USAGE under NOSUCH 5
    MEMORY USAGE
    MEMORY NOSUCH
    MEMORY
    SHUTDOWN NOSUCH
    SHUTDOWN ABORT
    SHUTDOWN SAVE NOSAVE
    SHUTDOWN ABORT NOW
    SHUTDOWN NOSAVE SAVE NOW
    BGSAVE
    """#)
}
