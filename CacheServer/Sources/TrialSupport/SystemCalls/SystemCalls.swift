internal import Glibc
internal import SystemPackage

/// What the trials ask of the operating system: this folder alone has unsafe code.
public enum SystemCalls {
  /// What a call gave, or the error that it named.
  static func checked(_ result: some SignedInteger) throws(Errno) -> Int {
    if result < 0 { throw Errno(rawValue: CInt(-result)) }
    return Int(result)
  }

  /// The same for calls that set errno; made again where a signal interrupted it.
  static func checkedErrno(_ call: () -> Int) throws(Errno) -> Int {
    while true {
      let result = call()
      if result >= 0 { return result }
      if errno != EINTR { throw Errno(rawValue: errno) }
    }
  }
}
