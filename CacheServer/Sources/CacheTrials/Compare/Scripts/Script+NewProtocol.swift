extension ScriptTexts {
  /// HELLO, and what is answered differently behind it.
  static let newProtocol = ScriptText(
    "RESP3",
    #"""
    ~hello HELLO
    ~hello HELLO 2
    HELLO 4
    HELLO 1
    HELLO x
    HELLO 3 NOSUCH
    HELLO 3 AUTH
    HELLO 3 AUTH default
    HELLO 3 SETNAME
    HELLO 3 SETNAME "a b"
    ~hello HELLO 3 SETNAME three
    CLIENT GETNAME
    GET none
    MGET none none
    GETDEL none
    GETEX none
    SET a 1
    SET a 2 NX
    SET a 2 XX GET
    GET a
    RANDOMKEY
    CONFIG GET maxmemory
    CONFIG GET nosuch
    COMMAND INFO nosuch
    COMMAND INFO get
    COMMAND GETKEYS MSET a 1 b 2
    ~info INFO memory
    ~client CLIENT INFO
    KEYS *
    SCAN 0
    SCAN 0 COUNT 100 MATCH none
    OBJECT ENCODING none
    GETSET new v
    CLIENT GETNAME
    ~hello HELLO
    ~hello HELLO 2
    GET none
    MGET none
    ~hello HELLO 3
    RESET
    GET none
    !client 2
    ~hello HELLO 3 AUTH default anything SETNAME four
    CLIENT GETNAME
    GET none
    HELLO 3 AUTH nosuch x
    !client 1
    GET none
    HELLO 2 AUTH nosuch x
    | ~hello HELLO 3
    | GET none
    | ~hello HELLO 2
    GET none
    """#)
}
