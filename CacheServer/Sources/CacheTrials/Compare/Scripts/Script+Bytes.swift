extension ScriptTexts {
  /// Keys and values of any bytes and sizes.
  static let bytes = ScriptText(
    "bytes of every kind, and many of them",
    #"""
    SET {all} {all}
    GET {all}
    STRLEN {all}
    KEYS *
    SET "" "the empty key"
    GET ""
    EXISTS ""
    TYPE ""
    DEL ""
    SET "a\x00b" "c\x00d"
    GET "a\x00b"
    GET a
    KEYS "a\x00*"
    KEYS "a*"
    SET "crlf\r\nkey" "crlf\r\nvalue\r\n"
    GET "crlf\r\nkey"
    ECHO "\x00\xff\r\n"
    PING "\x00\xff\r\n"
    APPEND "a\x00b" "\x00\x00"
    GETRANGE "a\x00b" 1 3
    STRLEN "a\x00b"
    SET "ünïcödé ключ" "värde 値"
    GET "ünïcödé ключ"
    SET big {1048576*x}
    STRLEN big
    GET big
    APPEND big {100000*yz}
    STRLEN big
    GETRANGE big 1048570 1048582
    SET big {65536*abc}
    GET big
    SET big small
    GET big
    SET {60000*k} long
    GET {60000*k}
    EXISTS {60000*k}
    DEL {60000*k}
    MSET m1 {65535*a} m2 {65536*b} m3 {65537*c}
    MGET m1 m2 m3
    GETSET m1 {20000*d}
    GETDEL m1
    SETRANGE sparse 100000 end
    STRLEN sparse
    GET sparse
    SET s44 {44*s}
    OBJECT ENCODING s44
    SET s45 {45*s}
    OBJECT ENCODING s45
    SET n20 12345678901234567890
    OBJECT ENCODING n20
    APPEND s44 x
    OBJECT ENCODING s44
    OBJECT REFCOUNT s45
    OBJECT ENCODING nothing
    OBJECT REFCOUNT nothing
    OBJECT IDLETIME s44
    OBJECT FREQ s44
    OBJECT FREQ nothing
    OBJECT FREQ
    OBJECT NOSUCH s44
    OBJECT ENCODING
    OBJECT
    SET key {4*"quoted"}
    GET key
    NOSUCH {all}
    GET {all} {all}
    """#)
}
