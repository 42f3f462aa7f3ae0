public import SystemPackage

/// Connections to a server that send nothing most of the time. Each takes a few bytes of this process and a descriptor.
public final class IdleConnections {
  private var descriptors: [CInt] = []
  private var buffer = [UInt8](repeating: 0, count: 512)

  /// How many connections are open.
  public var count: Int { descriptors.count }

  /// Connects `count` times to a port of 127.0.0.1.
  ///
  /// - Throws: the error of socket(2) or connect(2), as `tooManyOpenFiles` if `ulimit -n` allows fewer.
  public init(port: UInt16, count: Int) throws(Errno) {
    descriptors.reserveCapacity(count)
    for _ in 0..<count { descriptors.append(try SystemCalls.connect(port: port)) }
  }

  deinit { for descriptor in descriptors { SystemCalls.closeDescriptor(descriptor) } }

  /// Sends a short request over every connection, one after the other.
  ///
  /// - Returns: how many get exactly the bytes of `answer` as their reply.
  public func countAnswers(
    to request: (Int) -> [UInt8], expecting answer: (Int) -> [UInt8]
  ) -> Int {
    descriptors.indices.count { index in
      (try? answers(descriptors[index], request(index), answer(index))) ?? false
    }
  }

  private func answers(
    _ descriptor: CInt, _ request: [UInt8], _ expected: [UInt8]
  ) throws(Errno) -> Bool {
    guard try SystemCalls.send(descriptor, request[...]) == request.count else { return false }
    var received = 0
    while received < expected.count {
      guard let count = try SystemCalls.receive(descriptor, into: &buffer, from: received) else {
        var wanted = [SystemCalls.Wanted(descriptor)]
        try SystemCalls.poll(&wanted, milliseconds: 30_000)
        guard wanted[0].isReadable else { return false }
        continue
      }
      guard count > 0 else { return false }
      received += count
    }
    return buffer[..<received].elementsEqual(expected)
  }
}
