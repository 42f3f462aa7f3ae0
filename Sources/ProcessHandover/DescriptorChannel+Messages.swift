internal import Platform
internal import SystemPackage

extension DescriptorChannel {
  /// Passes descriptors on. The receiver has copies; the sender's stay open.
  ///
  /// - Throws: `cannotSend`, `timedOut`, `closed`.
  /// - Precondition: at most 64, and no name twice.
  public func send(_ descriptors: [NamedDescriptor]) throws(DescriptorChannelError) {
    precondition(descriptors.count <= NamedDescriptor.countLimit, "too many descriptors")
    let names = descriptors.map(\.name)
    precondition(Set(names).count == names.count, "passed on twice")
    try send(DescriptorMessage(names).bytes, descriptors.map(\.descriptor))
  }

  /// The descriptors that the other end passes on next.
  ///
  /// - Throws: `cannotReceive`, `timedOut`, `closed`, `truncated`, `malformedMessage`,
  ///   `unsupportedVersion`; nothing of what came stays open.
  public func receive() throws(DescriptorChannelError) -> ReceivedDescriptors {
    var received = ReceivedDescriptors([])
    let message = try DescriptorMessage(
      parsing: receive(atMost: DescriptorMessage.byteCountLimit, &received))
    guard message.names.count == received.count else { throw .malformedMessage }
    received.rename(message.names)
    return received
  }

  /// Says to the other end that what it sent was taken, or with another code that it was not.
  ///
  /// - Throws: `cannotSend`, `timedOut`, `closed`.
  public func acknowledge(_ code: UInt8 = 0) throws(DescriptorChannelError) {
    try send([code], [])
  }

  /// Waits until the other end acknowledges; gives its code.
  ///
  /// - Throws: `cannotReceive`, `timedOut`, `closed`, `truncated`, `malformedMessage`.
  public func awaitAcknowledgement() throws(DescriptorChannelError) -> UInt8 {
    var received = ReceivedDescriptors([])
    let bytes = try receive(atMost: 1, &received)
    guard bytes.count == 1, received.count == 0 else { throw .malformedMessage }
    return bytes[0]
  }

  private func send(
    _ bytes: [UInt8], _ descriptors: [FileDescriptor]
  ) throws(DescriptorChannelError) {
    do throws(Errno) {
      try SystemCalls.send(socket.descriptor, bytes, descriptors)
    } catch {
      switch error {
      case .resourceTemporarilyUnavailable: throw .timedOut
      case .brokenPipe, .connectionReset: throw .closed
      default: throw .cannotSend(error)
      }
    }
  }

  /// One message, and what came with it, which is closed with `received` whatever happens.
  private func receive(
    atMost byteCount: Int, _ received: inout ReceivedDescriptors
  ) throws(DescriptorChannelError) -> [UInt8] {
    let message: (bytes: [UInt8], descriptors: [FileDescriptor], isTruncated: Bool)
    do throws(Errno) {
      message = try SystemCalls.receive(
        socket.descriptor, atMost: byteCount, descriptorCount: NamedDescriptor.countLimit)
    } catch {
      switch error {
      case .resourceTemporarilyUnavailable: throw .timedOut
      case .connectionReset: throw .closed
      default: throw .cannotReceive(error)
      }
    }
    for descriptor in message.descriptors {
      received.append(NamedDescriptor(unchecked: "", descriptor))
    }
    guard !message.isTruncated else { throw .truncated }
    // No peer sends an empty message: it is the end.
    guard !message.bytes.isEmpty else { throw .closed }
    return message.bytes
  }
}
