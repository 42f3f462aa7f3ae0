internal import CPlatform
package import SystemPackage

extension SystemCalls {
  /// socket(2) of AF_UNIX.
  package static func makeSocket(isDatagram: Bool) throws(Errno) -> FileDescriptor {
    FileDescriptor(rawValue: try perform(.socket) { kho_socket(isDatagram ? 1 : 0) })
  }

  /// socketpair(2).
  package static func makeSocketPair() throws(Errno) -> (FileDescriptor, FileDescriptor) {
    var pair: [CInt] = [-1, -1]
    // SAFETY: the call fills both numbers.
    try perform(.socketpair) { unsafe kho_socket_pair(&pair) }
    return (FileDescriptor(rawValue: pair[0]), FileDescriptor(rawValue: pair[1]))
  }

  /// Whether it is a socket of AF_UNIX that keeps messages apart; EAFNOSUPPORT or EPROTOTYPE where
  /// not.
  package static func checkPacketSocket(_ socket: FileDescriptor) throws(Errno) {
    try perform(.getSocketType) { kho_check_packet_socket(socket.rawValue) }
  }

  /// SO_RCVTIMEO and SO_SNDTIMEO.
  package static func setTimeout(_ socket: FileDescriptor, _ timeout: Duration) throws(Errno) {
    let (seconds, attoseconds) = timeout.components
    // None at all would be no limit.
    let microseconds = max(attoseconds / 1_000_000_000_000, seconds == 0 ? 1 : 0)
    try perform(.setTimeout) { kho_set_timeout(socket.rawValue, seconds, microseconds) }
  }

  /// fchmod(2): of a socket before bind(2), the mode of the file that it makes.
  package static func restrictToOwner(_ socket: FileDescriptor) throws(Errno) {
    try perform(.fchmod) { fchmod(socket.rawValue, 0o600) == 0 ? 0 : -errno }
  }

  /// bind(2).
  package static func bind(_ socket: FileDescriptor, to address: SocketAddress) throws(Errno) {
    try perform(.bind) {
      // SAFETY: the address is whole, and outlives the call.
      address.withSocketAddress { unsafe kho_bind(socket.rawValue, $0, $1) } ?? -EINVAL
    }
  }

  /// connect(2).
  package static func connect(_ socket: FileDescriptor, to address: SocketAddress) throws(Errno) {
    try perform(.connect) {
      // SAFETY: the address is whole, and outlives the call.
      address.withSocketAddress { unsafe kho_connect(socket.rawValue, $0, $1) } ?? -EINVAL
    }
  }

  /// listen(2).
  package static func listen(_ socket: FileDescriptor) throws(Errno) {
    try perform(.listen) { kho_listen(socket.rawValue) }
  }

  /// accept4(2).
  package static func accept(_ socket: FileDescriptor) throws(Errno) -> FileDescriptor {
    FileDescriptor(rawValue: try perform(.accept) { kho_accept(socket.rawValue) })
  }

  /// The user at the other end, SO_PEERCRED.
  package static func peer(of socket: FileDescriptor) throws(Errno) -> UInt32 {
    var user: UInt32 = 0
    var process: Int32 = 0
    // SAFETY: both numbers outlive the call.
    try perform(.getPeer) { unsafe kho_peer(socket.rawValue, &user, &process) }
    return user
  }

  /// sendmsg(2), to an address where the socket is not connected.
  package static func send(
    _ socket: FileDescriptor, _ bytes: [UInt8], _ descriptors: [FileDescriptor],
    to address: SocketAddress? = nil
  ) throws(Errno) {
    let numbers = descriptors.map(\.rawValue)
    try perform(.sendmsg) { () -> Int64 in
      guard let address else {
        // SAFETY: the arrays are lent for the length of the call.
        return unsafe kho_send(
          socket.rawValue, nil, 0, bytes, bytes.count, numbers, numbers.count)
      }
      return address.withSocketAddress {
        // SAFETY: likewise the address.
        unsafe kho_send(socket.rawValue, $0, $1, bytes, bytes.count, numbers, numbers.count)
      } ?? Int64(-EINVAL)
    }
  }

  /// recvmsg(2): one message of at most `byteCount` bytes, and the descriptors that came with it, at
  /// most `descriptorCount`.
  package static func receive(
    _ socket: FileDescriptor, atMost byteCount: Int, descriptorCount: Int
  ) throws(Errno) -> (bytes: [UInt8], descriptors: [FileDescriptor], isTruncated: Bool) {
    var bytes = [UInt8](repeating: 0, count: byteCount)
    var numbers = [CInt](repeating: -1, count: descriptorCount)
    var received = kho_received()
    let count = try perform(.recvmsg) {
      // SAFETY: the call fills no more than the arrays, and `received`, which outlive it.
      unsafe kho_receive(
        socket.rawValue, &bytes, byteCount, &numbers, numbers.count, &received)
    }
    return (
      Array(bytes[..<Int(count)]),
      numbers[..<received.descriptor_count].map { FileDescriptor(rawValue: $0) },
      received.is_truncated != 0
    )
  }
}
