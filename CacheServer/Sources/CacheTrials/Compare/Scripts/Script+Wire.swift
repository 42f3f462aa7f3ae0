extension ScriptTexts {
  /// Pipelines, inline commands, and invalid requests.
  static let wire = ScriptText(
    "the wire",
    #"""
    | SET a 1
    | INCR a
    | GET a
    | NOSUCH
    | GET
    | INCR a
    GET a
    | PING
    | ECHO {70000*e}
    | MGET a none
    PING again
    | SET big {200000*b}
    | GET big
    | STRLEN big
    | DEL big
    GET big
    !raw 1 "PING\r\n"
    !raw 1 "PING\n"
    !raw 1 "  PING  \r\n"
    !raw 1 "SET inline \"quoted \\\"value\\\"\\x41\\n\"\r\n"
    !raw 1 "GET inline\r\n"
    !raw 1 "SET inline 'single \\'quoted\\' \\n'\r\n"
    !raw 1 "GET inline\r\n"
    !raw 2 "\r\n\r\nPING\r\n\r\nPING\r\n"
    !raw 1 "SET \"\" ''\r\n"
    !raw 1 "GET ''\r\n"
    !raw 1 "\"PING\"\r\n"
    !closed "P\"IN\"G\r\n"
    !raw 1 "ECHO a\"b c\"\r\n"
    !raw 1 "ECHO\tx\r\n"
    !raw 1 "NOSUCH inline command\r\n"
    !raw 3 "SET x 1\r\n*2\r\n$4\r\nINCR\r\n$1\r\nx\r\nGET x\r\n"
    !raw 1 "*0\r\nPING\r\n"
    !raw 1 "*-1\r\nPING\r\n"
    !raw 1 "*-10\r\nPING\r\n"
    !raw 1 "*1\r\n$4\r\nPINGxx"
    !raw 1 "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n"
    !raw 1 "*1\r\n$0\r\n\r\n"
    !closed "SET \"unbalanced\r\n"
    !closed "SET 'unbalanced\r\n"
    !closed "SET \"a\"b\r\n"
    !closed "*x\r\n"
    !closed "*\r\n"
    !closed "* 1\r\n"
    !closed "*+1\r\n"
    !closed "*01\r\n"
    !closed "*2147483648\r\n"
    !closed "*99999999999999999999\r\n"
    !closed "*1\r\nPING\r\n"
    !closed "*1\r\n:4\r\n"
    !closed "*1\r\n$x\r\n"
    !closed "*1\r\n$-1\r\n"
    !closed "*1\r\n$\r\n"
    !closed "*1\r\n$536870913\r\n"
    !closed "*1\r\n$99999999999999999999\r\n"
    !closed "*2\r\n$4\r\nECHO\r\n$-2\r\n"
    !closed "*2\r\n$4\r\nECHO\r\n\x01\x80\r\n"
    !closed "PING\r\n*1\r\n!\r\nPING\r\n"
    !raw 1 "*1\r\n$4\r\nPING\r\n"
    !closed "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$-1\r\nx\r\n"
    PING
    """#)
}
