extension ScriptTexts {
  /// PING, ECHO, SELECT, CLIENT, RESET, QUIT.
  static let connections = ScriptText(
    "connections",
    #"""
    PING
    PING hello
    PING a b
    ECHO hello
    ECHO
    ECHO a b
    SELECT 0
    SELECT 1
    SELECT -1
    SELECT x
    SELECT 99999999999
    SELECT
    SELECT 0 0
    ~number CLIENT ID
    CLIENT GETNAME
    CLIENT SETNAME me
    CLIENT GETNAME
    CLIENT SETNAME "with space"
    CLIENT SETNAME "line\n"
    CLIENT GETNAME
    ~client CLIENT INFO
    ~client CLIENT LIST
    !client 2
    CLIENT SETNAME other
    !client 1
    ~client CLIENT LIST TYPE normal
    CLIENT LIST TYPE master
    CLIENT LIST TYPE replica
    CLIENT LIST TYPE pubsub
    CLIENT LIST TYPE nosuch
    CLIENT LIST ID 999999
    CLIENT LIST ID x
    CLIENT LIST ID
    CLIENT LIST NOSUCH
    CLIENT SETNAME ""
    CLIENT GETNAME
    CLIENT NOSUCH
    CLIENT
    CLIENT ID x
    CLIENT SETNAME
    CLIENT GETNAME x
    CLIENT KILL 1.2.3.4:5
    CLIENT KILL ID 99999999
    CLIENT KILL ID x
    CLIENT KILL ID 0
    CLIENT KILL ADDR 1.2.3.4:5
    CLIENT KILL LADDR 1.2.3.4:5
    CLIENT KILL TYPE nosuch
    CLIENT KILL TYPE master
    CLIENT KILL USER nosuch
    CLIENT KILL SKIPME maybe
    CLIENT KILL NOSUCH x
    CLIENT KILL
    CLIENT KILL TYPE normal
    CLIENT NO-EVICT on
    CLIENT NO-EVICT off
    CLIENT NO-EVICT maybe
    CLIENT NO-EVICT
    CLIENT SETNAME kept
    RESET
    CLIENT GETNAME
    RESET x
    WAIT 0 0
    WAIT 0 10
    WAIT x 10
    WAIT 0 -1
    WAIT 0 x
    WAIT 0
    ~kind TIME
    TIME x
    !closed "QUIT\r\n"
    PING
    !closed "*1\r\n$4\r\nQUIT\r\n*1\r\n$4\r\nPING\r\n"
    !closed "PING\r\nQUIT now\r\n"
    NOSUCH
    NOSUCH a b c
    "no such" "a b" c
    NOSUCH {200*a} {200*b}
    {200*n} a
    "" a
    nosuch "a'b" "c\r\nd"
    """#)
}
