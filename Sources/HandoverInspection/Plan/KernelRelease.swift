/// The first two numbers of a kernel's release.
public struct KernelRelease: Hashable, Comparable, Sendable {
  /// The first number.
  public let major: UInt64
  /// The second number.
  public let minor: UInt64

  /// The release `major.minor`.
  public init(_ major: UInt64, _ minor: UInt64) {
    self.major = major
    self.minor = minor
  }

  /// The first two numbers of `7.3.4-amd64 …`; nil if the text does not begin with two.
  public init?(parsing text: some StringProtocol) {
    let text = Substring(text)
    guard let major = number(text), let rest = text.after("."), let minor = number(rest),
      major < 1000, minor < 1000
    else { return nil }
    self.init(major, minor)
  }

  /// Whether `left` is older than `right`.
  public static func < (left: Self, right: Self) -> Bool {
    (left.major, left.minor) < (right.major, right.minor)
  }
}

/// The machines for which Linux has KHO.
@nonexhaustive
public enum KernelArchitecture: String, CaseIterable, Sendable {
  /// 64-bit x86.
  case x86 = "x86_64"
  /// 64-bit Arm.
  case arm64
}
