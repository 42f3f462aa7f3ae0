internal import RESP

extension Settings {
  /// Whether a client may log in as `user`. The only user is `default`. Without a configured password, every password
  /// is valid.
  func isValid(user: RawSpan, password sent: RawSpan) -> Bool {
    guard user.hasSameBytes(as: Self.defaultUser.rawSpan) else { return false }
    return password.isEmpty || isPassword(sent)
  }

  /// Compares `sent` with the password. The time depends on the length of `sent` only, so that a client cannot find
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
