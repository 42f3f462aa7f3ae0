internal import SystemPackage

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

// Listening sockets are made here, and not by SwiftNIO: bound before the memory is opened, so that a
// start that is refused its address leaves nothing behind, and closed in every program that is started.

extension SystemCalls {
  /// A socket that listens at `endpoint`: socket(2), bind(2), listen(2).
  static func makeListener(at endpoint: Endpoint, backlog: Int) throws(SocketFailure)
    -> FileDescriptor
  {
    switch endpoint.address {
    case .internet(let host, let port): try makeListener(host: host, port: port, backlog)
    case .local(let path, let mode): try makeListener(path: path, mode: mode, backlog)
    }
  }

  private static func makeListener(
    host: String, port: UInt16, _ backlog: Int
  ) throws(SocketFailure) -> FileDescriptor {
    var hints = unsafe addrinfo()
    unsafe hints.ai_family = host.contains(":") ? AF_INET6 : AF_UNSPEC
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    unsafe hints.ai_flags = AI_PASSIVE
    var list: UnsafeMutablePointer<addrinfo>?
    // SAFETY: the strings and the hints outlive the call, which fills the list; it is freed below.
    let result = unsafe getaddrinfo(host == "*" ? "0.0.0.0" : host, String(port), &hints, &list)
    guard result == 0, let found = unsafe list else {
      throw SocketFailure(
        reason: "the address is unknown (\(unsafe String(cString: gai_strerror(result))))")
    }
    defer { unsafe freeaddrinfo(found) }
    let family = unsafe found.pointee.ai_family
    let socket = try makeSocket(family)
    do throws(SocketFailure) {
      // A restart does not wait until the kernel has forgotten the last connections.
      setOption(socket, SOL_SOCKET, SO_REUSEADDR, 1)
      if family == AF_INET6 { setOption(socket, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
      // SAFETY: the address belongs to the list, which is freed later.
      let bound = unsafe bind(
        socket.rawValue, found.pointee.ai_addr, found.pointee.ai_addrlen)
      guard bound == 0 else { throw SocketFailure(Errno(rawValue: errno)) }
      try startListening(socket, backlog)
    } catch {
      try? socket.close()
      throw error
    }
    return socket
  }

  private static func makeListener(
    path: String, mode: UInt32?, _ backlog: Int
  ) throws(SocketFailure) -> FileDescriptor {
    try removeAbandonedSocket(path)
    let socket = try makeSocket(AF_UNIX)
    do throws(SocketFailure) {
      try unsafe withLocalAddress(path) { (address, byteCount) throws(SocketFailure) in
        // SAFETY: the address has that many bytes.
        guard unsafe bind(socket.rawValue, address, byteCount) == 0 else {
          throw SocketFailure(Errno(rawValue: errno))
        }
      }
      // SAFETY: the call uses the text while it runs.
      if let mode, unsafe chmod(path, mode) != 0 {
        let failure = SocketFailure(Errno(rawValue: errno))
        removeFile(path)
        throw failure
      }
      try startListening(socket, backlog)
    } catch {
      try? socket.close()
      throw error
    }
    return socket
  }

  /// Removes the file of a socket at which no process listens any more: its server was killed.
  private static func removeAbandonedSocket(_ path: String) throws(SocketFailure) {
    var status = stat()
    // SAFETY: the call uses the text, and fills the structure.
    guard unsafe lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      throw SocketFailure(reason: "the file of that name is not a socket")
    }
    let probe = try makeSocket(AF_UNIX)
    defer { try? probe.close() }
    var isRefused = false
    try unsafe withLocalAddress(path) { (address, byteCount) throws(SocketFailure) in
      // SAFETY: the address has that many bytes.
      isRefused =
        unsafe connect(probe.rawValue, address, byteCount) != 0 && errno == ECONNREFUSED
    }
    if isRefused { removeFile(path) }
  }

  /// Removes a file: unlink(2).
  static func removeFile(_ path: String) {
    // SAFETY: the call uses the text while it runs.
    _ = unsafe unlink(path)
  }

  private static func makeSocket(_ family: Int32) throws(SocketFailure) -> FileDescriptor {
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let socket = socket(family, type, 0)
    guard socket >= 0 else { throw SocketFailure(Errno(rawValue: errno)) }
    return FileDescriptor(rawValue: socket)
  }

  private static func startListening(_ socket: FileDescriptor, _ backlog: Int) throws(SocketFailure)
  {
    guard listen(socket.rawValue, Int32(backlog)) == 0 else {
      throw SocketFailure(Errno(rawValue: errno))
    }
  }

  /// How many clients may wait to be accepted at a socket that listens already: listen(2).
  static func setBacklog(_ socket: FileDescriptor, _ count: Int) {
    _ = listen(socket.rawValue, Int32(count))
  }

  private static func withLocalAddress(
    _ path: String,
    _ body: (UnsafePointer<sockaddr>, socklen_t) throws(SocketFailure) -> Void
  ) throws(SocketFailure) {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path), !bytes.contains(0) else {
      throw SocketFailure(reason: "the path of a socket has 1 to 107 bytes")
    }
    // SAFETY: the path fits, as was just checked, with a zero behind it.
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
    let size = socklen_t(MemoryLayout<sockaddr_un>.size)
    var failure: SocketFailure?
    // SAFETY: every address of sockets begins as a sockaddr does; it is lent for the call.
    unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        do throws(SocketFailure) { try unsafe body(address, size) } catch { failure = error }
      }
    }
    if let failure { throw failure }
  }

  // MARK: Options

  private static func setOption(
    _ socket: FileDescriptor, _ level: Int32, _ name: Int32, _ value: Int
  ) {
    var value = Int32(value)
    // SAFETY: the number outlives the call, and has that size.
    _ = unsafe setsockopt(
      socket.rawValue, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
  }

  /// Has the clients of a TCP socket answered without delay, and asked after `seconds` of silence whether
  /// they are still there: TCP_NODELAY, SO_KEEPALIVE. What listens hands these on to what it accepts, so
  /// nothing has to be set for each client.
  static func setOptions(ofListener socket: FileDescriptor, keepAlive seconds: Int) {
    let tcp = Int32(IPPROTO_TCP)
    setOption(socket, tcp, TCP_NODELAY, 1)
    setKeepAlive(socket, seconds)
  }

  /// Has a client asked after `seconds` of silence, and twice more at thirds of that, whether it is still
  /// there; 0 for never.
  static func setKeepAlive(_ socket: FileDescriptor, _ seconds: Int) {
    let tcp = Int32(IPPROTO_TCP)
    setOption(socket, SOL_SOCKET, SO_KEEPALIVE, seconds > 0 ? 1 : 0)
    guard seconds > 0 else { return }
    // The kernel takes at most 32,767 seconds.
    setOption(socket, tcp, TCP_KEEPIDLE, min(seconds, 32_767))
    setOption(socket, tcp, TCP_KEEPINTVL, min(max(seconds / 3, 1), 32_767))
    setOption(socket, tcp, TCP_KEEPCNT, 3)
  }

  /// Closes a descriptor in every program that is started: FD_CLOEXEC.
  static func closeOnExec(_ descriptor: Int32) { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }

  /// Sends what the kernel takes at once: send(2).
  ///
  /// - Returns: the number of bytes that the kernel has taken; 0 if it takes none now, and after an error.
  @safe
  static func sendNow(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    // SAFETY: the call reads the bytes while it runs.
    let count = unsafe send(
      descriptor, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
    return max(0, count)
  }

  /// Ends a connection, also for other processes that have its socket: shutdown(2).
  static func shutDown(_ descriptor: Int32) { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }

  /// The address and the port that a socket is bound to; nil for one that is not of the internet.
  static func boundAddress(of socket: FileDescriptor) -> (host: String, port: UInt16)? {
    var storage = sockaddr_storage()
    var byteCount = socklen_t(MemoryLayout<sockaddr_storage>.size)
    var host = [CChar](repeating: 0, count: 64)
    var port = [CChar](repeating: 0, count: 8)
    // SAFETY: every address fits into the storage; both texts end with a zero byte.
    let isFound = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        guard unsafe getsockname(socket.rawValue, address, &byteCount) == 0 else { return false }
        return unsafe getnameinfo(
          address, byteCount, &host, socklen_t(host.count), &port, socklen_t(port.count),
          NI_NUMERICHOST | NI_NUMERICSERV) == 0
      }
    }
    func text(_ bytes: [CChar]) -> String {
      String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    guard isFound, storage.ss_family != sa_family_t(AF_UNIX), let number = UInt16(text(port)) else {
      return nil
    }
    return (text(host), number)
  }
}

/// Why a socket cannot listen.
struct SocketFailure: Error {
  let reason: String
  /// Whether another process has the address.
  var isTaken = false

  init(reason: String) { self.reason = reason }

  init(_ error: Errno) {
    reason = "\(error)"
    isTaken = error == .addressInUse
  }
}
