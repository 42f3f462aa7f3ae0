internal import CTrialSupport
internal import Glibc
public import SystemPackage

extension SystemCalls {
  /// A socket connected to a port of 127.0.0.1.
  static func connect(port: UInt16) throws(Errno) -> CInt { CInt(try checked(ct_connect(port))) }

  /// A socket connected to a UNIX socket.
  static func connect(path: String) throws(Errno) -> CInt {
    // SAFETY: the call uses the text while it runs.
    CInt(try checked(unsafe ct_connect_local(path)))
  }

  /// A socket connected to a port of this machine by an address of the network.
  static func connect(outsidePort port: UInt16) throws(Errno) -> CInt {
    CInt(try checked(ct_connect_outside(port)))
  }

  /// Whether that port of 127.0.0.1 is free.
  static func isPortFree(_ port: UInt16) -> Bool { ct_is_port_free(port) == 1 }

  /// send(2) without SIGPIPE and without waiting; how many bytes were taken.
  static func send(_ socket: CInt, _ bytes: ArraySlice<UInt8>) throws(Errno) -> Int {
    let flags = CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT)
    do throws(Errno) {
      return try checkedErrno {
        // SAFETY: the bytes are lent for the length of the call.
        unsafe bytes.withUnsafeBytes { unsafe Glibc.send(socket, $0.baseAddress, $0.count, flags) }
      }
    } catch Errno.resourceTemporarilyUnavailable {
      return 0
    }
  }

  /// recv(2) without waiting into `bytes` from `start`; nil where nothing has come yet, 0 at the end
  /// of the stream.
  static func receive(
    _ socket: CInt, into bytes: inout [UInt8], from start: Int
  ) throws(Errno) -> Int? {
    do throws(Errno) {
      return try checkedErrno {
        // SAFETY: the call writes at most the bytes behind `start`.
        unsafe bytes.withUnsafeMutableBytes {
          unsafe recv(
            socket, $0.baseAddress! + start, $0.count - start, CInt(MSG_DONTWAIT))
        }
      }
    } catch Errno.resourceTemporarilyUnavailable {
      return nil
    }
  }

  /// What poll(2) waits for, and says.
  public struct Wanted: Sendable {
    /// The socket; also a process's or a pipe's descriptor.
    public var descriptor: CInt
    /// Whether room for bytes is wanted too.
    public var wantsRoom = false
    /// Whether it has bytes to read, an error or the end.
    public internal(set) var isReadable = false
    /// Whether there is room.
    public internal(set) var hasRoom = false

    /// Waits for something to read.
    public init(_ descriptor: CInt, wantsRoom: Bool = false) {
      self.descriptor = descriptor
      self.wantsRoom = wantsRoom
    }
  }

  /// poll(2).
  public static func poll(_ wanted: inout [Wanted], milliseconds: Int) throws(Errno) {
    var list = wanted.map {
      pollfd(
        fd: $0.descriptor, events: Int16($0.wantsRoom ? POLLIN | POLLOUT : POLLIN), revents: 0)
    }
    let count = list.count
    _ = try checkedErrno {
      // SAFETY: the list outlives the call.
      Int(unsafe Glibc.poll(&list, nfds_t(count), CInt(clamping: milliseconds)))
    }
    for index in wanted.indices {
      let events = list[index].revents
      wanted[index].isReadable = events & Int16(POLLIN | POLLHUP | POLLERR) != 0
      wanted[index].hasRoom = events & Int16(POLLOUT) != 0
    }
  }

  /// close(2).
  static func closeDescriptor(_ descriptor: CInt) { _ = close(descriptor) }
}
