import Foundation
import HandoverTestSupport
import Platform
import Synchronization
import SystemPackage
import Testing

@testable import ProcessHandover

/// Memory that goes from process to process in every way there is; no other process gets it in between.
@Suite(.namesCombination) struct PreservedHandoverTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder(in: TemporaryFolder.parents[0]) }

  private var path: FilePath { folder.path.appending("memory") }

  /// Checks that the memory is refused to this process.
  private func expectHeld(by processID: Int32? = nil) {
    do throws(PreservedMemoryError) {
      _ = try PreservedMemory.open(path)
      Issue.record("a second owner was let in")
    } catch {
      guard case .heldByAnother(.held(let holder)) = error else {
        Issue.record("\(error)")
        return
      }
      if let processID { #expect(holder?.processID == processID) }
    }
  }

  /// Opens the memory here, and checks all of it.
  private func expectSound(generation: UInt64, count: UInt64, names: [String]? = nil) throws {
    var memory = try PreservedMemory.open(path)
    #expect(memory.generation == generation)
    let place = try memory.value(named: "count", initially: 0 as UInt64)
    #expect(memory.load(place) == count)
    let state = try PreservedMemoryState(of: &memory, checkingBytes: false)
    #expect(state.names == names ?? ["count", "text"])
  }

  @Test func byExec() throws {
    let helper = try HelperProcess("preserved-exec", folder.path.string)
    #expect(try helper.readLine() == "generation 0: count 2, text kept")
    expectHeld(by: helper.processID)
    try helper.proceed()
    #expect(try helper.readLine() == "generation 0: count 3, text kept, still here")
    #expect(try helper.readLine() == "generation 1: count 4, text kept, hello")
    expectHeld(by: helper.processID)
    try helper.proceed()
    #expect(helper.wait() == 0)
    try expectSound(generation: 2, count: 4)
  }

  @Test func toAChild() throws {
    let helper = try HelperProcess("preserved-spawn", folder.path.string)
    #expect(try helper.readLine() == "generation 0: count 2, text kept")
    expectHeld(by: helper.processID)
    try helper.proceed()
    #expect(try helper.readLine() == "generation 1: count 3, text kept")
    expectHeld()
    try helper.proceed()
    #expect(
      try helper.readLine() == "generation 2: count 4, text kept, child ended with 0")
    #expect(helper.wait() == 0)
    try expectSound(generation: 3, count: 4)
  }

  @Test(arguments: ["memfd", "path"]) func overAChannel(_ place: String) throws {
    let helper = try HelperProcess("preserved-give", place, folder.path.string)
    #expect(try helper.readLine() == "generation 0: count 2, text kept")
    if place == "path" { expectHeld(by: helper.processID) }
    do {
      var channel = try DescriptorChannel.connect(to: .path(folder.path.appending("channel")))
      var received = ReceivedDescriptors([])
      var memory = try PreservedMemory.receive(from: &channel, &received)
      #expect(try helper.readLine() == "given")
      let others = received.names
      #expect(others == ["folder"])
      #expect(memory.generation == 1 && memory.file.storage != .disk)
      let count = try memory.value(named: "count", initially: 0 as UInt64)
      #expect(memory.load(count) == 2)
      memory.store(7, to: count)
      _ = try PreservedMemoryState(of: &memory, checkingBytes: false)
      if place == "path" { expectHeld(by: ProcessIDs.own) }
      // The one that gave it away cannot have it back while another process has it.
      try helper.proceed()
      #expect(try helper.readLine() == "held by another")
    }
    #expect(helper.wait() == 0)
    if place == "path" { try expectSound(generation: 2, count: 7) }
  }

  /// The receiver dies after it was sent the memory: the sender can open it again.
  @Test func overAChannelThatCloses() throws {
    let helper = try HelperProcess("preserved-give", "memfd", folder.path.string)
    #expect(try helper.readLine() == "generation 0: count 2, text kept")
    do {
      let channel = try DescriptorChannel.connect(to: .path(folder.path.appending("channel")))
      _ = try channel.receive()
    }
    #expect(try helper.readLine() == "\(DescriptorChannelError.closed)")
    try helper.proceed()
    #expect(try helper.readLine() == "generation 1: count 3, text kept, taken back")
    #expect(helper.wait() == 0)
  }

  /// Who is sent the memory does not want it: it is not taken for given, and can be opened again.
  @Test func toOneThatRefuses() throws {
    let (near, far) = try DescriptorChannel.pair()
    var giver = try DescriptorChannel.adopt(near)
    let taker = try DescriptorChannel.adopt(far)
    // Said before it is asked for: a packet waits in the socket.
    try taker.acknowledge(3)
    var memory = try PreservedMemory.open(path)
    let count = try memory.value(named: "count", initially: 5 as UInt64)
    #expect(memory.load(count) == 5)
    do throws(DescriptorChannelError) {
      try memory.handOver(to: &giver)
      Issue.record("taken for given")
    } catch {
      #expect(error == .refused(code: 3))
    }
    // It has a copy of the lock's descriptor, which holds nothing.
    let received = try taker.receive()
    let receivedCount = received.count
    #expect(receivedCount == 2)
    try expectSound(generation: 1, count: 5, names: ["count"])
  }

  /// The other end is of a version that takes the lock once this one has let go of it.
  @Test func toAnEarlierVersion() throws {
    let (near, far) = try DescriptorChannel.pair()
    var giver = try DescriptorChannel.adopt(near)
    let taker = try DescriptorChannel.adopt(far)
    try taker.acknowledge()
    var memory = try PreservedMemory.open(path)
    let count = try memory.value(named: "count", initially: 5 as UInt64)
    #expect(memory.load(count) == 5)
    try memory.handOver(to: &giver)
    var received = try taker.receive()
    #expect(try taker.awaitAcknowledgement() == 0)
    let sent = received.take(PreservedMemory.memoryName)
    let descriptor = try #require(sent)
    let taken = try PreservedMemory(adopting: MemoryFile.adopt(descriptor))
    #expect(taken.generation == 1)
  }

  /// As many descriptors as one message has room for, beside the memory: the lock does not go along.
  @Test(arguments: [62, 63])
  func withManyDescriptors(count: Int) throws {
    let (near, far) = try DescriptorChannel.pair()
    var giver = try DescriptorChannel.adopt(near)
    let file = try MemoryFile.create(.memfd(name: folder.name), byteCount: 1 << 20)
    let descriptors = file.withDescriptor { descriptor in
      (0..<count).map { NamedDescriptor("copy \($0)", descriptor) }
    }
    let memory = try PreservedMemory.open(path)
    let taker = Taking(far)
    try memory.handOver(to: &giver, with: descriptors)
    #expect(try taker.result() == count)
  }

  /// The sender of the memory cancels before it has released it.
  @Test func fromOneThatRefuses() throws {
    let (near, far) = try DescriptorChannel.pair()
    let giver = try DescriptorChannel.adopt(near)
    var taker = try DescriptorChannel.adopt(far)
    let file = try MemoryFile.create(.memfd(name: folder.name), byteCount: 1 << 20)
    try giver.send([file.withDescriptor { NamedDescriptor(PreservedMemory.memoryName, $0) }])
    try giver.acknowledge(4)
    var received = ReceivedDescriptors([])
    #expect(throws: PreservedMemoryError.channel(.refused(code: 4))) {
      _ = try PreservedMemory.receive(from: &taker, &received)
    }
    #expect(try giver.awaitAcknowledgement() == 0)
  }

  /// The memory has no path, its process is killed, and the service manager has kept it.
  @Test func byTheServiceManager() throws {
    let socket = try SystemCalls.makeSocket(isDatagram: true)
    defer { try? socket.close() }
    let address = folder.path.appending("notify")
    try SystemCalls.bind(socket, to: .path(address))
    let first = try HelperProcess(
      helperPath, ["preserved-store"], environment: ["NOTIFY_SOCKET": address.string])
    #expect(try first.readLine() == "generation 0: count 2, text kept, stored")
    let message = try SystemCalls.receive(socket, atMost: 1000, descriptorCount: 64)
    #expect(message.bytes == Array("FDSTORE=1\nFDPOLL=0\nFDNAME=kho-memory\n".utf8))
    let stored = try #require(message.descriptors.first)
    let file = try MemoryFile.adopt(stored)
    func isHeld() -> Bool {
      do throws(PreservedMemoryError) {
        _ = try PreservedMemory(adopting: file)
        return false
      } catch {
        if case .heldByAnother(.held) = error { return true }
        return false
      }
    }
    #expect(isHeld())
    first.kill()

    for count in 3...4 {
      // What systemd does for the next process of the service.
      let script = """
        LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=kho-memory exec "$0" preserved-stored 3<>"$1"
        """
      let place = "/proc/\(ProcessIDs.own)/fd/\(stored.rawValue)"
      let next = try HelperProcess("/bin/sh", ["-c", script, helperPath, place])
      #expect(
        try next.readLine()
          == "generation \(count - 2): count \(count), text kept, stored before")
      #expect(isHeld())
      if count == 3 { next.kill() } else { try next.proceed() }
      if count == 4 { #expect(next.wait() == 0) }
    }
    #expect(!isHeld())
  }

  /// A process that changes the memory all the time is killed, again and again.
  @Test func afterKills() throws {
    var last: UInt64 = 0
    for generation in 0..<8 as Range<UInt64> {
      let helper = try HelperProcess("preserved-change", path.string)
      let line = try helper.readLine().split(separator: " ").map(String.init)
      try #require(line.count == 4 && line[1] == "\(2 * generation):")
      let count = try #require(UInt64(line[3]))
      #expect(count >= last)
      expectHeld(by: helper.processID)
      // However slowly it runs, it has changed something.
      #expect(try helper.readLine() == "changed")
      helper.kill()
      var memory = try PreservedMemory.open(path)
      #expect(memory.generation == 2 * generation + 1)
      let place = try memory.value(named: "count", initially: 0 as UInt64)
      last = memory.load(place)
      #expect(last > count)
      _ = try PreservedMemoryState(of: &memory, checkingBytes: false)
    }
  }
}

/// A thread that takes memory over a channel; gives how many other descriptors came.
private final class Taking: Sendable {
  private let outcome = Mutex<Result<Int, any Error>?>(nil)
  private let isDone = DispatchSemaphore(value: 0)

  init(_ socket: SystemPackage.FileDescriptor) {
    Thread.detachNewThread { [self] in
      let result = Result {
        var channel = try DescriptorChannel.adopt(socket)
        var others = ReceivedDescriptors([])
        _ = try PreservedMemory.receive(from: &channel, &others)
        return others.count
      }
      outcome.withLock { $0 = result }
      isDone.signal()
    }
  }

  func result() throws -> Int? {
    isDone.wait()
    return try outcome.withLock { $0 }?.get()
  }
}
