#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

extension SystemCalls {
  /// Whether something can be read from a descriptor, or its end: poll(2), without waiting.
  static func isReadable(_ descriptor: Int32) -> Bool {
    var list = PollList()
    list.append(descriptor)
    return !list.takeReadable().isEmpty
  }

  /// Has the calling thread give way to others: nice(2). It cannot be taken back.
  static func giveWay() {
    _ = nice(5)
  }
}

/// Sockets of which those are looked for from which something can be read: poll(2).
struct PollList {
  private var list: [pollfd] = []

  mutating func append(_ socket: Int32) {
    list.append(pollfd(fd: socket, events: Int16(POLLIN), revents: 0))
  }

  /// Looks for the socket at `index` no more. Its place stays.
  mutating func remove(at index: Int) { list[index].fd = -1 }

  /// The places, from `start` on and `count` of them at most, of the sockets from which something can be read, or the end;
  /// they are looked for no more. Without waiting.
  mutating func takeReadable(from start: Int = 0, count: Int = .max) -> [Int] {
    let end = start + min(count, list.count - start)
    guard start < end else { return [] }
    // SAFETY: the call changes as many structures as there are in the part. It ignores negative descriptors.
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
