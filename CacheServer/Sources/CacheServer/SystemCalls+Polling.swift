internal import CServerSupport

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

extension SystemCalls {
  /// Whether a descriptor has bytes to read, or is at its end: poll(2), without waiting.
  static func isReadable(_ descriptor: Int32) -> Bool {
    var one = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    // SAFETY: the call reads and writes that one structure.
    return unsafe poll(&one, 1, 0) > 0
  }
}

/// Sockets of which the kernel knows those that have bytes to read, or are at their end: epoll(7).
///
/// Asking takes as long as there are such sockets, and not as long as there are sockets: poll(2) takes 0.4 milliseconds
/// for 1,000 of them.
struct ReadableSockets: ~Copyable {
  /// -1 if the kernel has refused to make it. Then no socket is ever reported.
  private let descriptor: Int32

  init() { descriptor = rs_make() }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Adds a socket, which is reported as `place`.
  func insert(_ socket: Int32, place: Int) { rs_insert(descriptor, socket, UInt64(place)) }

  /// Removes a socket that was added.
  func remove(_ socket: Int32) { rs_remove(descriptor, socket) }

  /// The places of some sockets, at most 64, with bytes to read or at their end, without waiting. They are reported again
  /// until they are removed.
  ///
  /// - Precondition: `limit` is positive.
  func readablePlaces(atMost limit: Int) -> [Int] {
    let limit = min(limit, 64)
    var places = [UInt64](repeating: 0, count: limit)
    // SAFETY: the call writes at most `limit` numbers.
    let count = unsafe rs_readable(descriptor, &places, Int32(limit))
    return places.prefix(Int(count)).map { Int($0) }
  }
}
