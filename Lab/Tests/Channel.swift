import Foundation
import Platform
import SystemPackage

/// Two named pipes that QEMU's `-chardev pipe` uses, PATH.in and PATH.out.
final class Channel {
  let path: String
  private let input: FileDescriptor
  private let output: FileDescriptor
  /// What came and was not taken yet.
  private(set) var received: [UInt8] = []

  init(_ path: String) throws {
    self.path = path
    for end in ["in", "out"] {
      // SAFETY: the string ends with a zero byte and outlives the call.
      guard unsafe mkfifo("\(path).\(end)", 0o600) == 0 else { throw Errno(rawValue: errno) }
    }
    // For reading and writing, which never waits for the other side.
    input = try FileDescriptor.open(FilePath("\(path).in"), .readWrite)
    output = try FileDescriptor.open(FilePath("\(path).out"), .readWrite, options: [.nonBlocking])
  }

  deinit {
    try? input.close()
    try? output.close()
  }

  var descriptor: CInt { output.rawValue }

  func send(_ text: String) throws { _ = try input.writeAll(text.utf8) }

  /// Takes in what is there.
  @discardableResult
  func read() throws -> Int {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    var total = 0
    while true {
      let count: Int
      do {
        // SAFETY: the bytes are the buffer's.
        count = try unsafe buffer.withUnsafeMutableBytes { try unsafe output.read(into: $0) }
      } catch Errno.wouldBlock {
        return total
      }
      received += buffer[..<count]
      total += count
    }
  }

  /// Takes the bytes up to the first line that begins with `prefix`, and that line.
  func takeLine(beginningWith prefix: String) -> String? {
    var start = 0
    while let end = received[start...].firstIndex(of: UInt8(ascii: "\n")) {
      let line = received[start..<end]
      if line.starts(with: prefix.utf8) {
        let text = String(decoding: line, as: UTF8.self)
        received.removeFirst(end + 1)
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
      }
      start = end + 1
    }
    return nil
  }

  /// Takes `count` bytes; nil while there are fewer.
  func take(_ count: Int) -> [UInt8]? {
    guard received.count >= count else { return nil }
    let bytes = Array(received[..<count])
    received.removeFirst(count)
    return bytes
  }

  /// Waits until one of `channels` has something, at most `milliseconds`.
  static func wait(for channels: [Channel], milliseconds: CInt) {
    var list = channels.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
    // SAFETY: the list outlives the call and has as many elements as it is said to have.
    _ = unsafe poll(&list, nfds_t(list.count), milliseconds)
  }
}
