internal import NIOCore

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

extension SystemCalls {
  /// The address of the other end of a socket, or of its own: getpeername(2), getsockname(2).
  static func address(of socket: Int32, isRemote: Bool) -> SocketAddress? {
    var storage = sockaddr_storage()
    var byteCount = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return unsafe withUnsafeMutablePointer(to: &storage) { pointer in
      // SAFETY: every address fits into the storage, and begins with the family by which its type is chosen.
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        let result =
          unsafe isRemote
          ? getpeername(socket, address, &byteCount) : getsockname(socket, address, &byteCount)
        guard result == 0 else { return nil }
        switch unsafe Int32(address.pointee.sa_family) {
        case AF_INET:
          return unsafe address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
            unsafe SocketAddress($0.pointee)
          }
        case AF_INET6:
          return unsafe address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
            unsafe SocketAddress($0.pointee)
          }
        case AF_UNIX:
          return unsafe address.withMemoryRebound(to: sockaddr_un.self, capacity: 1) {
            unsafe SocketAddress($0.pointee)
          }
        default: return nil
        }
      }
    }
  }
}
