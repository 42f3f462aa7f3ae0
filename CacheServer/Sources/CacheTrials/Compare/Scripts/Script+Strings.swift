extension ScriptTexts {
  /// Values: set, get, replaced, read in part, built upon.
  static let strings = ScriptText(
    "strings",
    #"""
    GET nothing
    SET a 1
    GET a
    get A
    set a ""
    GET a
    STRLEN a
    STRLEN nothing
    SET a "two words"
    GETSET a "three more words"
    GETSET new first
    GET new
    GETDEL new
    GETDEL new
    EXISTS new
    APPEND a "!"
    APPEND b "begun by APPEND"
    APPEND b ""
    GET b
    STRLEN b
    GETRANGE b 0 4
    GETRANGE b -6 -1
    GETRANGE b 5 2
    GETRANGE b 100 200
    GETRANGE b 0 -1
    GETRANGE b -100 3
    GETRANGE nothing 0 1
    GETRANGE b x 1
    GETRANGE b 0 9223372036854775807
    GETRANGE b 0 9223372036854775808
    SETRANGE b 6 "BY"
    GET b
    SETRANGE b 30 "behind a gap"
    GET b
    SETRANGE nothing 3 "gap first"
    GET nothing
    SETRANGE empty 0 ""
    EXISTS empty
    SETRANGE b -1 x
    SETRANGE b 536870912 x
    SETRANGE b x x
    SETNX c 1
    SETNX c 2
    GET c
    TYPE a
    TYPE none-such
    GET
    GET a b
    SET a
    SET
    GETDEL
    GETDEL a b
    GETSET a
    APPEND a
    STRLEN
    STRLEN a b
    SETNX a
    GETRANGE a 1
    SETRANGE a 1
    TYPE
    TYPE a b
    """#)
}
