public import SystemPackage

/// Requests that clients send to a server again and again: batches, all of one size, and the replies to them.
public struct RequestLoad {
  /// How many clients send.
  public let clientCount: Int
  /// How many batches each client has.
  public let batchCount: Int
  private var requests: [UInt8] = []
  private var replies: [UInt8] = []

  /// A load of batches that `make` adds to the bytes of requests and of replies, in the order of their numbers.
  ///
  /// - Precondition: all have the same size.
  public init(
    clientCount: Int, batchCount: Int,
    _ make: (_ number: Int, _ requests: inout [UInt8], _ replies: inout [UInt8]) -> Void
  ) {
    self.clientCount = clientCount
    self.batchCount = batchCount
    let count = clientCount * batchCount
    for number in 0..<count {
      make(number, &requests, &replies)
      precondition(
        requests.count % (number + 1) == 0 && replies.count % (number + 1) == 0,
        "all batches have one size")
    }
  }

  /// What a run has shown.
  public struct Figures: Sendable {
    /// How many batches were answered.
    public let batchCount: Int
    /// How long that took, in seconds.
    public let seconds: Double
  }

  /// Sends each batch as soon as the one before is answered.
  ///
  /// - Parameter milliseconds: how long; with 0, each client sends one batch.
  /// - Throws: `Errno`: `badMessage` for a wrong reply, `timedOut` if the server is silent for a minute.
  public func run(port: UInt16, milliseconds: Int) throws(Errno) -> Figures {
    try call(port, milliseconds, isConnecting: false)
  }

  /// Sends every batch once.
  ///
  /// - Throws: `Errno`, as ``run(port:milliseconds:)``.
  public func runOnce(port: UInt16) throws(Errno) {
    let whole = RequestLoad(
      clientCount: clientCount, batchCount: 1, requests: requests, replies: replies)
    _ = try whole.run(port: port, milliseconds: 0)
  }

  /// Connects for each first batch of a client, one connection after the other.
  ///
  /// - Throws: `Errno`, as ``run(port:milliseconds:)``.
  public func runConnecting(port: UInt16, milliseconds: Int) throws(Errno) -> Figures {
    try call(port, milliseconds, isConnecting: true)
  }

  private init(clientCount: Int, batchCount: Int, requests: [UInt8], replies: [UInt8]) {
    self.clientCount = clientCount
    self.batchCount = batchCount
    self.requests = requests
    self.replies = replies
  }

  private func call(
    _ port: UInt16, _ milliseconds: Int, isConnecting: Bool
  ) throws(Errno) -> Figures {
    let (count, nanoseconds) = try SystemCalls.load(
      port: port, requests: requests, replies: replies, clientCount: clientCount,
      batchCount: batchCount, milliseconds: milliseconds, isConnecting: isConnecting)
    return Figures(batchCount: Int(count), seconds: Double(nanoseconds) / 1e9)
  }
}
