internal import RESP

extension Settings {
  /// There is one user, as Redis calls it. Without a password, any is right.
  func isValid(user: RawSpan, password sent: RawSpan) -> Bool {
    guard user.hasSameBytes(as: Self.defaultUser.rawSpan) else { return false }
    return password.isEmpty || isPassword(sent)
  }

  /// Compares in a time that depends on the length of what was sent only, so that a client cannot find
  /// the password byte by byte.
  func isPassword(_ sent: RawSpan) -> Bool {
    var difference: UInt8 = sent.byteCount == password.count && !password.isEmpty ? 0 : 1
    for index in 0..<sent.byteCount {
      difference |= sent[index] ^ (password.isEmpty ? 0 : password[index % password.count])
    }
    return difference == 0
  }

  private static var defaultUser: [UInt8] { Array("default".utf8) }
}
