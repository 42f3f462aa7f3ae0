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

  /// Has the calling thread give way to others: setpriority(2). It cannot be taken back.
  static func giveWay() {
    #if canImport(Glibc)
      _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
    #else
      _ = setpriority(Int32(PRIO_PROCESS), 0, 10)
    #endif
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

  /// The places of the sockets from which something can be read, or the end; they are looked for no more. Without
  /// waiting.
  mutating func takeReadable() -> [Int] {
    let count = nfds_t(list.count)
    // SAFETY: the call changes as many structures as there are. It ignores negative descriptors.
    #if canImport(Glibc)
      let found = unsafe Glibc.poll(&list, count, 0)
    #else
      let found = unsafe Musl.poll(&list, count, 0)
    #endif
    guard found > 0 else { return [] }
    let indices = list.indices.filter { list[$0].revents != 0 }
    for index in indices { remove(at: index) }
    return indices
  }
}
