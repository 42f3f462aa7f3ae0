internal import NIOCore
internal import SystemPackage

/// A UNIX stream over which the state of the clients goes: frames of bytes, each behind its length.
///
/// Descriptors go over a ``DescriptorChannel`` beside it, in the same order.
struct StateStream: ~Copyable {
  /// The longest frame, in bytes: the incomplete request of a client, and the rest of its state.
  static let frameByteLimit = Engine.inputLimit + (1 << 20)
  /// How long the other end may do nothing, in seconds.
  static let patience = 10

  private let socket: SystemPackage.FileDescriptor
  private var input = ByteBuffer()
  private var output = ByteBuffer()

  /// A stream over `socket`, which is its own from here on.
  init(_ socket: SystemPackage.FileDescriptor) {
    self.socket = socket
    SystemCalls.setTimeout(socket, seconds: Self.patience)
  }

  deinit { try? socket.close() }

  /// Whether a frame, or the beginning of one, can be read.
  var hasInput: Bool {
    input.readableBytes > 0 || SystemCalls.isReadable(socket.rawValue)
  }

  /// Adds a frame to what is to be sent.
  mutating func write(_ frame: ByteBuffer) throws(Errno) {
    output.writeInteger(UInt64(frame.readableBytes))
    output.writeImmutableBuffer(frame)
    if output.readableBytes > 1 << 20 { try flush() }
  }

  /// Sends what was added.
  mutating func flush() throws(Errno) {
    do {
      while output.readableBytes > 0 {
        // SAFETY: lent for the length of the call.
        let count = try unsafe output.withUnsafeReadableBytes { try unsafe socket.write($0) }
        output.moveReaderIndex(forwardBy: count)
      }
      output.clear()
    } catch {
      throw error as? Errno ?? .ioError
    }
  }

  /// The next frame; nil where the other end is done.
  ///
  /// - Throws: `badMessage` where it is too long or the stream ends inside it, and what read(2) says.
  mutating func read() throws(Errno) -> ByteBuffer? {
    while true {
      if let length = input.getInteger(at: input.readerIndex, as: UInt64.self) {
        guard length <= UInt64(Self.frameByteLimit) else { throw .badMessage }
        if input.readableBytes >= 8 + Int(length) {
          input.moveReaderIndex(forwardBy: 8)
          return input.readSlice(length: Int(length))
        }
      }
      guard try fill() else {
        guard input.readableBytes == 0 else { throw .badMessage }
        return nil
      }
    }
  }

  /// Reads more; false at the end.
  private mutating func fill() throws(Errno) -> Bool {
    // Copies what frames share, so it is not done for each of them.
    input.discardReadBytes()
    do {
      // SAFETY: the call writes no more than there is room for.
      let count = try unsafe input.writeWithUnsafeMutableBytes(minimumWritableBytes: 64 << 10) {
        try unsafe socket.read(into: $0)
      }
      return count > 0
    } catch {
      throw error as? Errno ?? .ioError
    }
  }
}
