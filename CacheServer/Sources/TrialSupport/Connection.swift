public import SystemPackage

/// What goes wrong on a connection.
public enum ConnectionError: Error, Equatable, Sendable {
  /// The server closed it.
  case closed
  /// The operating system says so: refused, reset.
  case failed(Errno)
  /// No answer for too long.
  case timedOut
  /// The bytes that came are not a reply.
  case malformed(ReplyError)
}

/// A connection to a server at 127.0.0.1.
public final class Connection {
  /// The socket, to wait for.
  public let descriptor: CInt
  private var input = [UInt8](repeating: 0, count: 1 << 16)
  private var start = 0
  private var end = 0
  /// What could not be sent yet.
  private var output: [UInt8] = []
  private var outputStart = 0

  /// Connects.
  ///
  /// - Throws: ``ConnectionError/failed(_:)``.
  public init(port: UInt16) throws(ConnectionError) {
    do throws(Errno) { descriptor = try SystemCalls.connect(port: port) } catch {
      throw .failed(error)
    }
  }

  /// Connects to a UNIX socket.
  ///
  /// - Throws: ``ConnectionError/failed(_:)``.
  public init(path: String) throws(ConnectionError) {
    do throws(Errno) { descriptor = try SystemCalls.connect(path: path) } catch {
      throw .failed(error)
    }
  }

  /// Connects by an address that is not of loopback.
  ///
  /// - Throws: ``ConnectionError/failed(_:)``; `addressNotAvailable` where the machine has none.
  public init(outsidePort port: UInt16) throws(ConnectionError) {
    do throws(Errno) { descriptor = try SystemCalls.connect(outsidePort: port) } catch {
      throw .failed(error)
    }
  }

  deinit { SystemCalls.closeDescriptor(descriptor) }

  /// Whether something waits to be sent.
  public var hasOutput: Bool { outputStart < output.count }

  /// The bytes that have come and are not taken yet.
  public var received: ArraySlice<UInt8> { input[start..<end] }

  // MARK: Without waiting

  /// Adds to what is to be sent.
  public func enqueue(_ bytes: [UInt8]) { output += bytes }

  /// Sends what can be sent now.
  public func flush() throws(ConnectionError) {
    while hasOutput {
      let count: Int
      do throws(Errno) { count = try SystemCalls.send(descriptor, output[outputStart...]) } catch {
        throw .failed(error)
      }
      if count == 0 { return }
      outputStart += count
    }
    output.removeAll(keepingCapacity: true)
    outputStart = 0
  }

  /// Reads what has come.
  ///
  /// - Returns: whether something had.
  /// - Throws: ``ConnectionError/closed`` at the end, ``ConnectionError/failed(_:)``.
  @discardableResult
  public func fill() throws(ConnectionError) -> Bool {
    if start == end {
      start = 0
      end = 0
    } else if end == input.count {
      if start > 0 {
        input.replaceSubrange(0..<end - start, with: Array(input[start..<end]))
        end -= start
        start = 0
      } else {
        input.append(contentsOf: repeatElement(0, count: input.count))
      }
    }
    let count: Int?
    do throws(Errno) {
      count = try SystemCalls.receive(descriptor, into: &input, from: end)
    } catch {
      throw .failed(error)
    }
    guard let count else { return false }
    guard count > 0 else { throw .closed }
    end += count
    return true
  }

  /// The next answer that has come whole.
  public func takeReply() throws(ConnectionError) -> Reply? {
    do throws(ReplyError) {
      guard let (reply, next) = try ReplyParser.parse(input, from: start, to: end) else {
        return nil
      }
      start = next
      return reply
    } catch {
      throw .malformed(error)
    }
  }

  /// The next answer that has come whole, with its bytes.
  private func takeReceivedReply() throws(ConnectionError) -> ReceivedReply? {
    let first = start
    guard let reply = try takeReply() else { return nil }
    return ReceivedReply(bytes: Array(input[first..<start]), reply: reply)
  }

  /// Takes bytes that have come.
  ///
  /// - Precondition: as many are ``received``.
  public func take(_ count: Int) -> [UInt8] {
    defer { start += count }
    return Array(input[start..<start + count])
  }

  // MARK: Waiting

  /// Waits until there is something to read, or room to send into where something waits.
  public func wait(milliseconds: Int) throws(ConnectionError) {
    var wanted = [SystemCalls.Wanted(descriptor, wantsRoom: hasOutput)]
    do throws(Errno) { try SystemCalls.poll(&wanted, milliseconds: milliseconds) } catch {
      throw .failed(error)
    }
    if !wanted[0].isReadable, !wanted[0].hasRoom { throw .timedOut }
  }

  /// What `take` makes of the bytes that have come, once it is not nil; for as long, sends what waits
  /// and reads what comes.
  ///
  /// - Parameter milliseconds: how long nothing may come.
  /// - Throws: ``ConnectionError``.
  public func awaited<Answer>(
    within milliseconds: Int, _ take: () throws(ConnectionError) -> Answer?
  ) throws(ConnectionError) -> Answer {
    while true {
      try flush()
      if let answer = try take() { return answer }
      if try !fill() { try wait(milliseconds: milliseconds) }
    }
  }

  /// The next answer.
  public func reply() throws(ConnectionError) -> Reply {
    try awaited(within: 30_000, takeReply)
  }

  /// The next answer, with its bytes.
  public func receivedReply(within milliseconds: Int) throws(ConnectionError) -> ReceivedReply {
    try awaited(within: milliseconds, takeReceivedReply)
  }

  /// Sends a command, and waits for its answer.
  public func call(_ words: String...) throws(ConnectionError) -> Reply {
    enqueue(requestBytes(words.map { Array($0.utf8) }))
    return try reply()
  }

  /// Reads until the other side has closed; what has come can be taken then.
  public func drain() {
    while (try? fillWaiting()) == true {}
  }

  private func fillWaiting() throws(ConnectionError) -> Bool {
    if try fill() { return true }
    try wait(milliseconds: 5000)
    return true
  }
}
