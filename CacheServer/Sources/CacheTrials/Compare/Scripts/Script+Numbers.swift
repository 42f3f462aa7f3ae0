extension ScriptTexts {
  /// Counting, overflow, and text that is not a number.
  static let numbers = ScriptText(
    "numbers",
    #"""
    INCR n
    INCR n
    INCRBY n 40
    DECR n
    DECRBY n 41
    DECR n
    GET n
    INCRBY n -9
    INCRBY n 0
    SET n 9223372036854775806
    INCR n
    INCR n
    INCRBY n 1
    GET n
    SET n -9223372036854775808
    DECR n
    DECRBY n 1
    INCRBY n -1
    INCRBY n 9223372036854775807
    DECRBY n -9223372036854775808
    DECRBY n 9223372036854775808
    INCRBY n 9223372036854775808
    INCRBY n 1.5
    INCRBY n ""
    INCRBY n " 1"
    INCRBY n +1
    INCRBY n 01
    INCRBY n -0
    INCRBY n 0x10
    SET s "10 "
    INCR s
    SET s " 10"
    INCR s
    SET s 0010
    INCR s
    SET s -0
    INCR s
    SET s ""
    INCR s
    SET s "1e3"
    INCR s
    SET s 9223372036854775808
    INCR s
    SET s text
    DECR s
    INCR s
    APPEND digits 1
    APPEND digits 2
    INCR digits
    SET counter 5 EX 1000
    INCR counter
    ~seconds TTL counter
    INCRBYFLOAT f 1.5
    INCRBYFLOAT f 0.1
    INCRBYFLOAT f -1.6
    INCRBYFLOAT f 5.0e3
    INCRBYFLOAT f 1e-10
    INCRBYFLOAT f x
    INCRBYFLOAT f ""
    INCRBYFLOAT f inf
    INCRBYFLOAT f nan
    INCRBYFLOAT s 1
    SET f 3.0
    INCRBYFLOAT f 0
    SET f 10.50
    INCRBYFLOAT f 0.1
    SET f 1e17
    INCRBYFLOAT f 1
    INCR f
    GET f
    INCR
    INCR a b
    DECR
    INCRBY n
    INCRBY n 1 2
    DECRBY n
    INCRBYFLOAT n
    OBJECT ENCODING n
    OBJECT ENCODING counter
    """#)
}
