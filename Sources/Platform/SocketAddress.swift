internal import CPlatform
package import SystemPackage

/// The address of a UNIX socket, unix(7): the name of a file, or a name in the abstract namespace.
package enum SocketAddress: Hashable, Sendable {
  case path(FilePath)
  case abstract(String)

  /// Calls `body` with a `struct sockaddr_un` and its length in bytes; nil, without calling it,
  /// where the name is empty or does not fit.
  @safe
  func withSocketAddress<Value>(_ body: (UnsafeRawPointer, UInt32) -> Value) -> Value? {
    let (name, isAbstract) =
      switch self {
      case .path(let path): (path.bytes, false)
      case .abstract(let name): (Array(name.utf8), true)
      }
    guard !name.isEmpty else { return nil }
    // 110 bytes are used at most.
    var bytes = [UInt8](repeating: 0, count: 128)
    // SAFETY: the function reads the name, and fills no more than the array.
    let count = unsafe kho_unix_address(&bytes, bytes.count, name, name.count, isAbstract ? 1 : 0)
    bytes.removeLast(bytes.count - Int(count))
    guard !bytes.isEmpty else { return nil }
    // SAFETY: lent for the length of the call.
    return unsafe bytes.withUnsafeBytes { unsafe body($0.baseAddress!, UInt32($0.count)) }
  }

  /// Whether the name is not empty, and fits into the 107 bytes of `struct sockaddr_un`.
  package var isValid: Bool { withSocketAddress { _, _ in true } ?? false }
}
