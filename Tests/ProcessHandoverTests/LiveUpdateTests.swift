import Platform
import SystemPackage
import Testing

@testable import ProcessHandover

/// What needs no kernel with the Live Update Orchestrator; the rest is in the lab.
@Suite struct LiveUpdateTests {
  /// The structures, byte by byte, as include/uapi/linux/liveupdate.h has them.
  @Test func messages() {
    var create = LiveUpdateMessage(.createSession)
    create.descriptor = -1
    create.name = "vm"
    #expect(create.request.number == 0xba00)
    #expect(
      create.bytes
        == [72, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x76, 0x6d] + [UInt8](repeating: 0, count: 62))
    #expect(create.name == "vm")
    var preserve = LiveUpdateMessage(.preserve)
    preserve.descriptor = 0x0102
    preserve.token = 0x0807_0605_0403_0201
    #expect(preserve.request.number == 0xba40)
    #expect(preserve.bytes == [16, 0, 0, 0, 2, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8])
    #expect(preserve.descriptor == 0x0102 && preserve.token == 0x0807_0605_0403_0201)
    #expect(LiveUpdateMessage(.finish).bytes == [8, 0, 0, 0, 0, 0, 0, 0])
    #expect(LiveUpdateMessage(.getName).bytes.count == 72)
    var longest = LiveUpdateMessage(.retrieveSession)
    longest.name = String(repeating: "x", count: 63)
    #expect(longest.name.utf8.count == 63)
  }

  @Test func deviceErrors() throws {
    #expect(throws: LiveUpdateError.unavailable) { _ = try LiveUpdate.open("/dev/no-such-device") }
    for (errno, error) in [
      (.resourceBusy, .deviceBusy), (.permissionDenied, .notPermitted),
      (.notPermitted, .notPermitted), (.noSuchAddressOrDevice, .unavailable),
      (.tooManyOpenFiles, .failed(.openDevice, .tooManyOpenFiles)),
    ] as [(Errno, LiveUpdateError)] {
      SystemCalls.$interceptor.withValue(SystemCallInterceptor { $0 == .open ? errno : nil }) {
        #expect(throws: error) { _ = try LiveUpdate.open("/dev/null") }
      }
    }
  }

  /// What the kernel answers, as a caller sees it.
  @Test func requestErrors() throws {
    let device = try LiveUpdate.open("/dev/null")
    func answering(_ errno: Errno, _ body: () -> Void) {
      SystemCalls.$interceptor.withValue(
        SystemCallInterceptor { $0 == .ioctl ? errno : nil }, operation: body)
    }
    for name in ["", String(repeating: "x", count: 64), "a\0b"] {
      #expect(throws: LiveUpdateError.nameInvalid(byteCount: name.utf8.count)) {
        _ = try device.createSession(named: name)
      }
    }
    answering(.fileExists) {
      #expect(throws: LiveUpdateError.sessionExists) { _ = try device.createSession(named: "a") }
    }
    answering(.noMemory) {
      #expect(throws: LiveUpdateError.outOfMemory) { _ = try device.createSession(named: "a") }
    }
    answering(.noSuchFileOrDirectory) {
      #expect(throws: LiveUpdateError.noSuchSession) { _ = try device.retrieveSession(named: "a") }
    }
    let outgoing = LiveUpdate.OutgoingSession(
      adopting: try FileDescriptor.open(FilePath("/dev/null"), .readWrite))
    let memfd = try SystemCalls.openUnnamed(in: "/tmp")
    for (errno, error) in [
      (.resourceBusy, .alreadyPreserved), (.fileExists, .tokenTaken(7)), (.noMemory, .outOfMemory),
      (.noSuchFileOrDirectory, .fileNotPreservable),
      (.badFileDescriptor, .failed(.preserve, .badFileDescriptor)),
    ] as [(Errno, LiveUpdateError)] {
      answering(errno) {
        #expect(throws: error) { try outgoing.preserve(memfd, token: 7) }
      }
    }
    try memfd.close()
    // A file of tmpfs that has a name is distinguished, with the name; no other one is.
    let path = FilePath("/dev/shm/live-update-test-\(UInt32.random(in: 0 ... .max))")
    if let named = try? SystemCalls.create(path, .readWrite) {
      answering(.noSuchFileOrDirectory) {
        #expect(throws: LiveUpdateError.fileHasName(path)) {
          try outgoing.preserve(named, token: 1)
        }
      }
      try SystemCalls.unlink(path)
      try named.close()
    }
    for path in ["/proc/self/exe", "/dev/null"] as [FilePath] {
      let other = try SystemCalls.open(path, .readOnly)
      answering(.noSuchFileOrDirectory) {
        #expect(throws: LiveUpdateError.fileNotPreservable) {
          try outgoing.preserve(other, token: 1)
        }
      }
      try other.close()
    }
    let incoming = LiveUpdate.IncomingSession(
      adopting: try FileDescriptor.open(FilePath("/dev/null"), .readWrite))
    answering(.noSuchFileOrDirectory) {
      #expect(throws: LiveUpdateError.noSuchFile(token: 9)) { _ = try incoming.retrieve(token: 9) }
    }
    // What is not the device does not know the request.
    #expect(throws: LiveUpdateError.failed(.getName, .inappropriateIOCTLForDevice)) {
      _ = try incoming.name()
    }
  }

  /// Every sentence says what to do or what it was about, and fits behind a colon.
  @Test func sentences() {
    let errors: [LiveUpdateError] = [
      .unavailable, .deviceBusy, .notPermitted, .nameInvalid(byteCount: 64), .sessionExists,
      .noSuchSession, .fileNotPreservable, .fileHasName("/dev/shm/a"), .alreadyPreserved,
      .tokenTaken(1), .noSuchFile(token: 2), .comesBackReadOnly, .readOnly, .outOfMemory,
      .failed(.finish, .invalidArgument),
    ]
    #expect(Set(errors.map(\.description)).count == errors.count)
    for error in errors { #expect(!error.description.hasSuffix(".")) }
  }
}
