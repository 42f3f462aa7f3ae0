import Foundation
import HandoverTestSupport
import Platform
import SystemPackage
import Testing

@testable import ProcessHandover

@Suite(.namesCombination) struct ServiceManagerTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func names(
    _ processID: String?, _ count: String?, _ names: String?
  ) throws(ServiceManagerError) -> [String] {
    try ListenVariables(processID: processID, count: count, names: names, ownProcessID: 42).names
  }

  @Test func variables() throws {
    #expect(try names(nil, nil, nil) == [] && names("42", nil, nil) == [])
    #expect(try names(nil, "1", nil) == [] && names("41", "1", "a") == [])
    #expect(try names("42", "2", "memory:web.socket") == ["memory", "web.socket"])
    #expect(try names("42", "2", nil) == ["unknown", "unknown"] && names("42", "0", "") == [])
    #expect(try names("42", "3", "a::a") == ["a", "", "a"] && names("42", "1", "") == [""])
    let malformed: [(String, String, String?)] = [
      ("", "1", nil), ("x", "1", nil), ("42", "", nil), ("42", "-1", nil), ("42", "+1", nil),
      ("42", "4097", nil), ("42", "99999999999", nil), (" 42", "1", nil), ("42", "1", "a:b"),
      ("42", "2", "a"), ("42", "1x", nil),
    ]
    for (processID, count, given) in malformed {
      #expect(throws: ServiceManagerError.malformedEnvironment, "\(processID) \(count)") {
        try names(processID, count, given)
      }
    }
  }

  @Test func addresses() throws {
    #expect(try ServiceManager.address("/run/notify") == .path("/run/notify"))
    #expect(try ServiceManager.address("@notify") == .abstract("notify"))
    for text in ["", "@", "notify", "vsock:2:1", "/" + String(repeating: "a", count: 107)] {
      #expect(throws: ServiceManagerError.unsupportedAddress) {
        try ServiceManager.address(text)
      }
    }
  }

  /// A process that is given descriptors as the service manager gives them.
  @Test func aProcessIsGivenDescriptors() throws {
    let path = try folder.write([5, 6, 7], to: "memory")
    let script = """
      LISTEN_PID=$$ LISTEN_FDS=$2 LISTEN_FDNAMES=memory:folder exec "$0" listen 3<>"$1" 4<"$3"
      """
    func run(_ count: Int) throws -> ProcessRun {
      try ProcessRun(
        "/bin/sh", ["-c", script, helperPath, path.string, "\(count)", folder.path.string])
    }
    let good = try run(2)
    #expect(
      good.output == "memory folder; memory of 3 bytes; closed on exec; variables gone\n",
      "\(good.errors)")
    #expect(try run(3).output == "\(ServiceManagerError.malformedEnvironment)\n")
    // Nothing else is asked, so the number is free.
    let missing = "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" listen 3<&-"
    let error = ServiceManagerError.missingDescriptor(number: 3, .badFileDescriptor)
    #expect(try ProcessRun("/bin/sh", ["-c", missing, helperPath]).output == "\(error)\n")
  }

  /// A service manager that hears what a service says.
  @Test func whatTheManagerHears() throws {
    let path = folder.path.appending("notify")
    for address in [LocalAddress.path(path), .abstract("kho-\(UUID().uuidString)")] {
      let socket = try SystemCalls.makeSocket(isDatagram: true)
      defer { try? socket.close() }
      try SystemCalls.bind(socket, to: address.socketAddress)
      let manager = ServiceManager(at: address)
      let file = try MemoryFile.create(.memfd(name: folder.name), byteCount: 4096)
      file.store(3, at: 0)

      func heard() throws -> (String, [FileDescriptor]) {
        let message = try SystemCalls.receive(socket, atMost: 1000, descriptorCount: 64)
        #expect(!message.isTruncated)
        return (String(decoding: message.bytes, as: UTF8.self), message.descriptors)
      }
      try manager.store(file.withDescriptor { NamedDescriptor("memory", $0) })
      let (text, descriptors) = try heard()
      #expect(text == "FDSTORE=1\nFDPOLL=0\nFDNAME=memory\n" && descriptors.count == 1)
      let stored = try MemoryFile.adopt(#require(descriptors.first))
      #expect(stored.load(0) == 3)
      try manager.removeStored("memory")
      #expect(try heard().0 == "FDSTOREREMOVE=1\nFDNAME=memory\n")
      try manager.notifyReady()
      #expect(try heard().0 == "READY=1\n")
      try manager.notifyMainProcess(17)
      let (last, none) = try heard()
      #expect(last == "MAINPID=17\n" && none.isEmpty)
      for call in [SystemCall.socket, .setTimeout, .sendmsg] {
        let watcher = CallWatcher(failing: call)
        watcher.watch {
          #expect(throws: ServiceManagerError.cannotNotify(.ioError)) { try manager.notifyReady() }
        }
        #expect(watcher[.socket] == watcher[.close])
      }
    }
    let nobody = ServiceManager(at: .path(folder.path.appending("nobody")))
    #expect(throws: ServiceManagerError.cannotNotify(.noSuchFileOrDirectory)) {
      try nobody.notifyReady()
    }
  }

  @Test func theManagerOfAProcess() throws {
    let path = folder.path.appending("notify")
    let socket = try SystemCalls.makeSocket(isDatagram: true)
    defer { try? socket.close() }
    try SystemCalls.bind(socket, to: .path(path))
    let run = try ProcessRun("/usr/bin/env", ["NOTIFY_SOCKET=\(path)", helperPath, "ready"])
    #expect(run.output == "told\n", "\(run.errors)")
    let message = try SystemCalls.receive(socket, atMost: 100, descriptorCount: 64)
    #expect(message.bytes == Array("READY=1\n".utf8))
    #expect(
      try ProcessRun("/usr/bin/env", ["-u", "NOTIFY_SOCKET", helperPath, "ready"]).output
        == "nobody\n")
  }
}
