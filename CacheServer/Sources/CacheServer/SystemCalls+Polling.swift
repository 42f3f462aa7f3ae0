#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

extension SystemCalls {
  /// Whether a descriptor has bytes to read, or is at its end: poll(2), without waiting.
  static func isReadable(_ descriptor: Int32) -> Bool {
    var list = PollList()
    list.append(descriptor)
    return !list.takeReadable().isEmpty
  }
}

/// Sockets to be polled for bytes to read: poll(2).
struct PollList {
  private var list: [pollfd] = []

  mutating func append(_ socket: Int32) {
    list.append(pollfd(fd: socket, events: Int16(POLLIN), revents: 0))
  }

  /// Excludes the socket at `index` from polling. The places of the others stay.
  mutating func remove(at index: Int) { list[index].fd = -1 }

  /// Polls at most `count` sockets from the place `start` on, without waiting.
  ///
  /// - Returns: the places of the sockets with bytes to read, or at their end. They are not polled again.
  mutating func takeReadable(from start: Int = 0, count: Int = .max) -> [Int] {
    let end = start + min(count, list.count - start)
    guard start < end else { return [] }
    // SAFETY: the call gets the part and its count, and writes no other structures. It ignores negative descriptors.
    let found = unsafe list.withUnsafeMutableBufferPointer { buffer in
      let part = unsafe UnsafeMutableBufferPointer(rebasing: buffer[start..<end])
      #if canImport(Glibc)
        return unsafe Glibc.poll(part.baseAddress, nfds_t(part.count), 0)
      #else
        return unsafe Musl.poll(part.baseAddress, nfds_t(part.count), 0)
      #endif
    }
    guard found > 0 else { return [] }
    let indices = (start..<end).filter { list[$0].revents != 0 }
    for index in indices { remove(at: index) }
    return indices
  }
}
