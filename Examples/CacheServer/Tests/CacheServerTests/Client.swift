import CacheTestSupport
import SystemPackage
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A connection to a server. Whatever waits for half a minute has failed.
final class Client {
  private let socket: FileDescriptor
  private var received: [UInt8] = []

  init(port: UInt16) throws {
    let number = Glibc.socket(
      AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { throw Errno(rawValue: errno) }
    socket = FileDescriptor(rawValue: number)
    var time = timeval(tv_sec: 30, tv_usec: 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      // SAFETY: the structure outlives the call, and has that size.
      unsafe setsockopt(
        number, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
    }
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    // SAFETY: an address of the internet, as the call expects it.
    let status = unsafe withUnsafePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(number, $0, size)
      }
    }
    guard status == 0 else { throw Errno(rawValue: errno) }
  }

  deinit { try? socket.close() }

  func write(_ bytes: some Sequence<UInt8>) throws { try socket.writeAll(bytes) }

  /// The next `count` bytes; fewer only at the end of the connection.
  func read(_ count: Int) throws -> [UInt8] {
    while received.count < count, try fill() {}
    let bytes = Array(received.prefix(count))
    received.removeFirst(bytes.count)
    return bytes
  }

  /// Whether the server has closed the connection, after it has said nothing more.
  func isAtEnd() throws -> Bool { try received.isEmpty && !fill() }

  /// The next line, without its end.
  func readLine() throws -> String {
    while true {
      if let end = received.firstIndex(of: 0x0a) {
        let line = String(decoding: received[..<end], as: UTF8.self)
        received.removeFirst(end + 1)
        return line.hasSuffix("\r") ? String(line.dropLast()) : line
      }
      guard try fill() else { throw Errno.connectionReset }
    }
  }

  /// The reply to a request: a line, or the string behind it.
  func send(_ words: String...) throws -> String {
    try write(Wire.request(words.map { Array($0.utf8) }))
    return try readReply()
  }

  func readReply() throws -> String {
    let line = try readLine()
    guard line.hasPrefix("$"), let count = Int(line.dropFirst()), count >= 0 else { return line }
    return String(decoding: try read(count + 2).dropLast(2), as: UTF8.self)
  }

  /// What `INFO` tells under a name.
  func info(_ name: String) throws -> String? {
    try send("INFO").split(separator: "\r\n").first { $0.hasPrefix(name + ":") }
      .map { String($0.dropFirst(name.count + 1)) }
  }

  private func fill() throws -> Bool {
    var bytes = [UInt8](repeating: 0, count: 64 << 10)
    // SAFETY: lent for the length of the call, which writes no more than there is.
    let count = try unsafe bytes.withUnsafeMutableBytes { try unsafe socket.read(into: $0) }
    received += bytes[..<count]
    return count > 0
  }
}
