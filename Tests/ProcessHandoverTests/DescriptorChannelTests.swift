import Foundation
import HandoverTestSupport
import Platform
import SystemPackage
import Testing

@testable import ProcessHandover

@Suite(.namesCombination) struct DescriptorChannelTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Both ends, and the raw socket of the first, to send what no channel would.
  private func withPair(
    _ body: (borrowing DescriptorChannel, borrowing DescriptorChannel, FileDescriptor) throws ->
      Void
  ) throws {
    let pair = try DescriptorChannel.pair()
    let first = try DescriptorChannel.adopt(pair.0)
    let second = try DescriptorChannel.adopt(pair.1)
    try body(first, second, pair.0)
  }

  private func opened(_ name: String) throws -> FileDescriptor {
    try FileDescriptor.open(try folder.write([1, 2, 3], to: name), .readWrite)
  }

  @Test func descriptorsArriveByName() throws {
    let file = try MemoryFile.create(.memfd(name: folder.name), byteCount: 4096)
    file.store(17, at: 8)
    let other = try opened("other")
    defer { try? other.close() }
    try withPair { first, second, _ in
      try first.send([
        file.withDescriptor { NamedDescriptor("memory", $0) }, NamedDescriptor("other", other),
      ])
      do {
        var received = try second.receive()
        let names = received.names
        #expect(names == ["memory", "other"])
        let taken = received.take("memory")
        let memory = try #require(taken)
        #expect(try SystemCalls.isClosedOnExec(memory))
        let adopted = try MemoryFile.adopt(memory)
        #expect(adopted.load(8) == 17 && adopted.identity == file.identity)
        try second.acknowledge()
        #expect(try first.awaitAcknowledgement() == 0)
        try first.acknowledge(7)
        #expect(try second.awaitAcknowledgement() == 7)
      }
      // The two that were sent are left: what was received went with its owners.
      #expect(try descriptorCount(of: folder.name) == 2)
      // As many as can be, and none.
      let copies = try (0..<64).map { NamedDescriptor("\($0)", try other.duplicate()) }
      try first.send(copies)
      for copy in copies { try copy.descriptor.close() }
      let all = try second.receive()
      #expect(all.names == copies.map(\.name))
      try first.send([])
      #expect(try second.receive().names == [])
    }
  }

  /// What a hostile peer can send: it is refused, and nothing of it stays open.
  @Test func whatNobodySends() throws {
    let other = try opened("other")
    defer { try? other.close() }
    let one = DescriptorMessage(["a"]).bytes
    let cases: [([UInt8], Int, DescriptorChannelError)] = [
      (one, 0, .malformedMessage), (one, 2, .malformedMessage),
      (DescriptorMessage([]).bytes, 1, .malformedMessage), ([1], 1, .malformedMessage),
      (one, 65, .truncated), (one, 100, .truncated),
      (
        Array("KHOD\u{2}\u{1}".utf8), 1,
        .unsupportedVersion(2)
      ),
      ([UInt8](repeating: 0, count: DescriptorMessage.byteCountLimit + 1), 3, .truncated),
    ]
    for (bytes, count, error) in cases {
      try withPair { _, second, socket in
        try SystemCalls.send(socket, bytes, Array(repeating: other, count: count))
        #expect(throws: error, "\(bytes.prefix(8)) \(count)") { _ = try second.receive() }
        #expect(try descriptorCount(of: folder.name) == 1)
      }
    }
    for (bytes, count) in [([0, 0], 0), ([0], 1), ([0], 100)] as [([UInt8], Int)] {
      try withPair { _, second, socket in
        try SystemCalls.send(socket, bytes, Array(repeating: other, count: count))
        #expect(throws: DescriptorChannelError.self) { _ = try second.awaitAcknowledgement() }
        #expect(try descriptorCount(of: folder.name) == 1)
      }
    }
  }

  @Test func thePeerIsGoneOrSilent() throws {
    let pair = try DescriptorChannel.pair()
    let second = try DescriptorChannel.adopt(pair.1, timeout: .milliseconds(1))
    #expect(throws: DescriptorChannelError.timedOut) { _ = try second.receive() }
    #expect(throws: DescriptorChannelError.timedOut) { _ = try second.awaitAcknowledgement() }
    var sent = 0
    #expect(throws: DescriptorChannelError.timedOut) {
      // No process receives them.
      while sent < 100_000 {
        try second.acknowledge()
        sent += 1
      }
    }
    // A program that another test starts just now may have a copy.
    #expect(shutdown(pair.0.rawValue, 2) == 0)
    try pair.0.close()
    #expect(throws: DescriptorChannelError.closed) { try second.acknowledge() }
    #expect(throws: DescriptorChannelError.closed) { _ = try second.receive() }
  }

  @Test func listeningAndConnecting() throws {
    let path = folder.path.appending("socket")
    for address in [LocalAddress.path(path), .abstract("kho-\(UUID().uuidString)")] {
      try withCombination("address", "\(address)") {
        do {
          let listener = try DescriptorListener(at: address, timeout: .milliseconds(1))
          #expect(throws: DescriptorChannelError.timedOut) { _ = try listener.accept() }
          if case .path = address {
            #expect(try path.stat().permissions == .ownerReadWrite)
          }
          let client = try DescriptorChannel.connect(to: address)
          let server = try listener.accept()
          try client.acknowledge(3)
          #expect(try server.awaitAcknowledgement() == 3)
          _ = try DescriptorChannel.connect(to: address)
          #expect(
            throws: DescriptorChannelError.foreignPeer(userID: DescriptorChannel.currentUserID)
          ) { _ = try listener.accept(from: 4_000_000) }
          #expect(
            throws: DescriptorChannelError.foreignPeer(userID: DescriptorChannel.currentUserID)
          ) { _ = try DescriptorChannel.connect(to: address, of: 4_000_000) }
          #expect(throws: DescriptorChannelError.addressInUse) {
            _ = try DescriptorListener(at: address)
          }
        }
        #expect(folder.names == [])
        if case .path = address {
          #expect(throws: DescriptorChannelError.cannotConnect(.noSuchFileOrDirectory)) {
            _ = try DescriptorChannel.connect(to: address)
          }
        }
      }
    }
  }

  @Test func whatLiesAtThePath() throws {
    let path = folder.path.appending("socket")
    // A socket file that was left behind is replaced.
    let left = try SystemCalls.makeSocket(isDatagram: false)
    try SystemCalls.bind(left, to: .path(path))
    try left.close()
    #expect(folder.names == ["socket"])
    do {
      let listener = try DescriptorListener(at: .path(path))
      _ = try DescriptorChannel.connect(to: .path(path))
      _ = try listener.accept()
    }
    #expect(folder.names == [])
    // Anything else is not.
    let file = try folder.write([1], to: "file")
    #expect(throws: DescriptorChannelError.addressInUse) {
      _ = try DescriptorListener(at: .path(file))
    }
    #expect(folder.names == ["file"])
    // What another process put there since stays.
    do {
      let listener = try DescriptorListener(at: .path(path))
      try SystemCalls.unlink(path)
      _ = try folder.write([1], to: "socket")
      withExtendedLifetime(listener) {}
    }
    #expect(Set(folder.names) == ["file", "socket"])
    for address in [
      LocalAddress.path(""), .abstract(""), .abstract(String(repeating: "a", count: 108)),
      .path(FilePath(String(repeating: "a", count: 108))),
    ] {
      #expect(throws: DescriptorChannelError.invalidAddress) {
        _ = try DescriptorListener(at: address)
      }
      #expect(throws: DescriptorChannelError.invalidAddress) {
        _ = try DescriptorChannel.connect(to: address)
      }
    }
    #expect(LocalAddress.abstract(String(repeating: "a", count: 107)).isValid)
  }

  @Test func socketsThatAreNone() throws {
    let file = try opened("file")
    let datagram = try SystemCalls.makeSocket(isDatagram: true)
    for descriptor in [file, datagram, FileDescriptor(rawValue: -1)] {
      #expect(throws: DescriptorChannelError.notPacketSocket) {
        _ = try DescriptorChannel.adopt(descriptor)
      }
    }
    // Not connected to a peer.
    let alone = try SystemCalls.makeSocket(isDatagram: false)
    #expect(throws: DescriptorChannelError.foreignPeer(userID: .max)) {
      _ = try DescriptorChannel.adopt(alone)
    }
    #expect(try descriptorCount(of: folder.name) == 0)
  }

  /// Every system call fails once: a typed error, no descriptor more and no file.
  @Test func everyCallFails() throws {
    let made: [SystemCall] = [.socket, .accept]
    let reported: Set<SystemCall> = [
      .socket, .fchmod, .setTimeout, .bind, .listen, .connect, .accept, .getPeer,
      .setDescriptorFlags, .sendmsg, .recvmsg,
    ]
    var found: Set<SystemCall> = []
    let other = try opened("other")
    defer { try? other.close() }
    for call in SystemCall.allCases where call != .close {
      var occurrence = 1
      while true {
        let watcher = CallWatcher(failing: call, at: occurrence)
        do {
          try watcher.watch {
            let address = LocalAddress.path(folder.path.appending("socket"))
            let listener = try DescriptorListener(at: address)
            let client = try DescriptorChannel.connect(to: address)
            let server = try listener.accept()
            try client.send([NamedDescriptor("other", other)])
            _ = try server.receive()
            try server.acknowledge()
            _ = try client.awaitAcknowledgement()
          }
        } catch is DescriptorChannelError {
          found.insert(call)
        }
        guard watcher.hasFailed else { break }
        try #require(try descriptorCount(of: folder.name) == 1, "\(call) \(occurrence)")
        let sum = made.reduce(0) { $0 + watcher[$1] }
        // What was received is closed as well.
        try #require(watcher[.close] - watcher[.recvmsg].clamped(to: 0...1) == sum)
        // Without them, the listener cannot know that the file is its own.
        if call == .unlink || call == .stat {
          try? SystemCalls.unlink(folder.path.appending("socket"))
        }
        try #require(folder.names == ["other"], "\(call) \(occurrence)")
        occurrence += 1
      }
    }
    #expect(found == reported)
  }
}

extension Int {
  fileprivate func clamped(to range: ClosedRange<Int>) -> Int {
    Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
  }
}
