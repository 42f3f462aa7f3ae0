internal import CacheCore
internal import NIOCore
internal import NIOPosix
internal import ProcessHandover
internal import RESP
internal import SystemPackage

/// A client and a cache of this process's own, served once before the predecessor is asked to pause.
///
/// What is done for the first time takes longer: pages of the program are read, types are made, sockets
/// registered. A successor has done it all when its clients begin to wait.
enum Rehearsal {
  static func run(_ engine: Engine) throws {
    let (near, far) = try SystemCalls.makeStreamPair()
    defer { try? near.close() }
    SystemCalls.setTimeout(near, seconds: StateStream.patience)
    try engine.locked {
      let memory = try PreservedMemory(
        creating: .memfd(name: "rehearsal"), byteCount: 4 << 20, growableTo: 8 << 20)
      let cache = try Cache(in: memory)
      engine.cache = .some(cache)
      engine.adopt(
        ConnectionHandler(engine, engine.loop(for: 0), Session(id: 0), connectTime: 0),
        far.rawValue)
    }
    let request = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n"
    try near.writeAll(request.utf8)
    let expected = "+OK\r\n$1\r\n1\r\n".utf8.count
    var bytes = [UInt8](repeating: 0, count: expected)
    var count = 0
    while count < expected {
      // SAFETY: lent for the length of the call, which writes no more than there is.
      let more = try unsafe bytes.withUnsafeMutableBytes {
        try unsafe near.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[count...]))
      }
      guard more > 0 else { throw StartFailure("nothing was answered") }
      count += more
    }
    engine.locked {
      engine.connections[0]?.abandon()
      engine.cache = nil
    }
  }
}
