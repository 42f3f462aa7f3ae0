internal import Platform
internal import SystemPackage

/// A request to the Live Update Orchestrator.
///
/// ```
/// create, retrieve session (device)     u32 size   s32 descriptor   name (64 bytes)
/// preserve, retrieve file (session)     u32 size   s32 descriptor   u64 token
/// finish (session)                      u32 size   u32 0
/// get name (session)                    u32 size   u32 0            name (64 bytes)
/// ```
///
/// Source: Linux 7.3, include/uapi/linux/liveupdate.h.
enum LiveUpdateRequest: UInt32, Hashable, Sendable {
  case createSession = 0
  case retrieveSession = 1
  case preserve = 0x40
  case retrieve = 0x41
  case finish = 0x42
  case getName = 0x43

  /// The number for ioctl(2): type 0xBA, without a size or a direction.
  var number: UInt32 { 0xba00 | rawValue }

  /// The length of the structure in bytes.
  var byteCount: Int {
    switch self {
    case .createSession, .retrieveSession, .getName: 72
    case .preserve, .retrieve: 16
    case .finish: 8
    }
  }

  /// The bytes of a name, with the 0 at its end.
  static var nameByteCount: Int { 64 }
}

/// The structure of a request.
struct LiveUpdateMessage {
  private(set) var bytes: [UInt8]
  let request: LiveUpdateRequest

  init(_ request: LiveUpdateRequest) {
    self.request = request
    bytes = [UInt8](repeating: 0, count: request.byteCount)
    store(UInt64(request.byteCount), byteCount: 4, at: 0)
  }

  /// The descriptor: one that the caller gives, or -1 where the kernel answers with one.
  var descriptor: CInt {
    get { CInt(truncatingIfNeeded: load(byteCount: 4, at: 4)) }
    set { store(UInt64(UInt32(bitPattern: newValue)), byteCount: 4, at: 4) }
  }

  /// The number under which a session knows a file.
  var token: UInt64 {
    get { load(byteCount: 8, at: 8) }
    set { store(newValue, byteCount: 8, at: 8) }
  }

  /// The name of a session.
  ///
  /// - Precondition: it has at most 63 bytes.
  var name: String {
    get { String(decoding: bytes[8...].prefix { $0 != 0 }, as: UTF8.self) }
    set {
      precondition(newValue.utf8.count < LiveUpdateRequest.nameByteCount, "a name that is too long")
      for (index, byte) in newValue.utf8.enumerated() { bytes[8 + index] = byte }
    }
  }

  /// Makes the request of `descriptor`, and takes the answer.
  mutating func send(to target: FileDescriptor) throws(Errno) {
    try SystemCalls.liveUpdate(target, request.number, &bytes)
  }

  private func load(byteCount: Int, at offset: Int) -> UInt64 {
    (0..<byteCount).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
  }

  private mutating func store(_ value: UInt64, byteCount: Int, at offset: Int) {
    for index in 0..<byteCount {
      bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
    }
  }
}
