extension ScriptTexts {
  /// Finding keys: globs, cursors, counts, types.
  static let finding = ScriptText(
    "KEYS and SCAN",
    #"""
    KEYS *
    SCAN 0
    SET hello 1
    SET hallo 2
    SET hxllo 3
    SET hllo 4
    SET heeeello 5
    SET h*llo 6
    SET "h[llo" 7
    SET "h\\llo" 8
    SET "with space" 9
    SET user:1:name a
    SET user:2:name b
    SET user:10:name c
    SET user:1:mail d
    ~sorted KEYS *
    ~sorted KEYS h?llo
    ~sorted KEYS h*llo
    ~sorted KEYS h[ae]llo
    ~sorted KEYS h[^e]llo
    ~sorted KEYS h[a-b]llo
    ~sorted KEYS h[b-a]llo
    KEYS h\*llo
    ~sorted KEYS "h\\[llo"
    ~sorted KEYS h\\\\llo
    KEYS "h\\\\llo"
    ~sorted KEYS user:*:name
    ~sorted KEYS user:?:*
    ~sorted KEYS user:[0-9]*:n*
    ~sorted KEYS *l*l*o*
    KEYS nothing*
    KEYS ""
    KEYS hello
    KEYS h[
    KEYS h[a
    KEYS h\
    ~sorted KEYS h[^
    KEYS [h]ello
    ~sorted KEYS ?????
    ~sorted KEYS **
    ~sorted KEYS *?*
    ~sorted KEYS *:*:*
    ~sorted KEYS "with*"
    KEYS
    KEYS a b
    ~sorted SCAN 0 COUNT 1000
    ~sorted SCAN 0 COUNT 1000 MATCH user:*
    ~sorted SCAN 0 MATCH user:* COUNT 1000
    ~sorted SCAN 0 COUNT 1000 TYPE string
    SCAN 0 COUNT 1000 TYPE hash
    ~sorted SCAN 0 COUNT 1000 TYPE STRING MATCH h*
    SCAN 0 COUNT 1000 TYPE nosuch
    SCAN 0 COUNT 1000 MATCH nothing*
    SCAN 0 COUNT 0
    SCAN 0 COUNT -1
    SCAN 0 COUNT x
    SCAN 0 COUNT
    SCAN 0 MATCH
    SCAN 0 NOSUCH
    SCAN 0 NOSUCH 1
    SCAN x
    ~kind SCAN -1
    ~sorted SCAN "" COUNT 1000
    SCAN --1
    SCAN " 1"
    SCAN 1x
    SCAN 1.5
    SCAN 18446744073709551616
    SCAN
    !scan
    !scan COUNT 1
    !scan COUNT 3
    !scan MATCH user:* COUNT 2
    !scan MATCH *1*
    !scan MATCH h[^e]llo COUNT 100
    !scan TYPE string COUNT 4
    !scan MATCH none*
    MSET 0 a 1 b 2 c 3 d 4 e 5 f 6 g 7 h 8 i 9 j 10 k 11 l 12 m 13 n 14 o 15 p 16 q 17 r 18 s 19 t 20 u 21 v 22 w 23 x 24 y 25 z
    !scan COUNT 2
    !scan MATCH 1?
    !scan MATCH [0-9] COUNT 7
    ~sorted KEYS [0-9][0-9]
    SET gone v PX 20
    !gone gone
    !scan MATCH g*
    KEYS g*
    """#)
}
