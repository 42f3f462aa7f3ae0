internal import NIOCore
internal import ProcessHandover
internal import SystemPackage

/// A program that was started to take everything over, as its predecessor sees it.
///
/// `@unchecked Sendable`: one thread starts it and waits until it is ready; the event loop has it then.
final class SuccessorProcess: @unchecked Sendable {
  static let channelName = "cache-channel"
  static let streamName = "cache-stream"

  let processID: Int32
  var channel: DescriptorChannel
  var stream: StateStream
  /// Whether it takes clients before the memory. Earlier versions do not.
  private(set) var takesClientsAhead = false

  /// Starts the program.
  ///
  /// - Throws: ``UpgradeFailure``; the program is not running then.
  static func start(
    _ configuration: ServerConfiguration
  ) throws(UpgradeFailure) -> SuccessorProcess {
    let ends: (SystemPackage.FileDescriptor, SystemPackage.FileDescriptor)
    do throws(DescriptorChannelError) { ends = try DescriptorChannel.pair() } catch {
      throw UpgradeFailure("the channel to the successor cannot be made: \(error)")
    }
    let channel: DescriptorChannel
    do throws(DescriptorChannelError) {
      channel = try DescriptorChannel.adopt(ends.0)
    } catch {
      try? ends.1.close()
      throw UpgradeFailure("the channel to the successor cannot be made: \(error)")
    }
    defer { try? ends.1.close() }
    let streams: (SystemPackage.FileDescriptor, SystemPackage.FileDescriptor)
    do throws(Errno) { streams = try SystemCalls.makeStreamPair() } catch {
      throw UpgradeFailure("the stream to the successor cannot be made: \(error)")
    }
    let stream = StateStream(streams.0)
    defer { try? streams.1.close() }
    var program = Successor(configuration.executable, arguments: configuration.arguments)
    program.pass(NamedDescriptor(channelName, ends.1))
    program.pass(NamedDescriptor(streamName, streams.1))
    let processID: Int32
    do throws(SuccessorError) { processID = try program.spawn() } catch {
      throw UpgradeFailure("\(configuration.executable): \(error)")
    }
    return SuccessorProcess(processID, channel, stream)
  }

  private init(
    _ processID: Int32, _ channel: consuming DescriptorChannel, _ stream: consuming StateStream
  ) {
    self.processID = processID
    self.channel = channel
    self.stream = stream
  }

  /// Waits until the program says that it is ready.
  ///
  /// - Throws: ``UpgradeFailure``; the program is not running then.
  func awaitReady() throws(UpgradeFailure) {
    let code: UInt8
    do throws(DescriptorChannelError) { code = try channel.awaitAcknowledgement() } catch {
      throw abandon(after: error, "it was ready")
    }
    guard code == 0 else {
      SystemCalls.killAndWait(processID)
      throw UpgradeFailure("process \(processID) does not want the memory")
    }
    // A successor that takes clients ahead sends the greeting before its acknowledgement.
    if stream.hasInput, let frame = try? stream.read() {
      takesClientsAhead = frame == HandoverState.greeting
    }
  }

  /// Ends the program, and says why.
  func abandon(after error: DescriptorChannelError, _ moment: String) -> UpgradeFailure {
    if error == .closed {
      // It may be about to end.
      var ended: String?
      for _ in 0..<100 where ended == nil {
        ended = SystemCalls.exitText(of: processID)
        if ended == nil { SystemCalls.wait(microseconds: 10_000) }
      }
      if let ended {
        return UpgradeFailure("process \(processID) has ended with \(ended) before \(moment)")
      }
    }
    SystemCalls.killAndWait(processID)
    return UpgradeFailure(
      error == .timedOut
        ? "process \(processID) took too long before \(moment), and was ended"
        : "process \(processID) was ended before \(moment): \(sentence(of: error))")
  }
}

/// Why a successor has not come to serve: a sentence for the operator.
struct UpgradeFailure: ErrorForPeople {
  let sentence: String

  init(_ sentence: String) { self.sentence = sentence }
}
