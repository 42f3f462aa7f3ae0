public import SystemPackage

/// A descriptor to pass on, and the name by which the receiver knows it. It is only lent: the process that owns
/// it keeps it open until it was passed on.
public struct NamedDescriptor: Hashable, Sendable {
  /// The name; see ``isValidName(_:)``.
  public let name: String
  /// The descriptor.
  public let descriptor: FileDescriptor

  /// `descriptor` under `name`.
  ///
  /// - Precondition: the name is valid.
  public init(_ name: String, _ descriptor: FileDescriptor) {
    precondition(Self.isValidName(name), "not a name for a descriptor: \(name)")
    self.name = name
    self.descriptor = descriptor
  }

  init(unchecked name: String, _ descriptor: FileDescriptor) {
    self.name = name
    self.descriptor = descriptor
  }

  /// Whether every way on can carry the name: 1 to 64 printable ASCII characters, without a colon
  /// (sd_pid_notify_with_fds(3)).
  public static func isValidName(_ name: String) -> Bool {
    (1...64).contains(name.utf8.count)
      && name.utf8.allSatisfy { (0x20...0x7e).contains($0) && $0 != UInt8(ascii: ":") }
  }

  /// The number of descriptors that are passed on at once, at most.
  public static let countLimit = 64
}
