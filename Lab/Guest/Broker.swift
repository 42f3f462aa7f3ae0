import KexecHandover
import Platform
import SystemPackage

/// A small service manager with systemd's protocols. It keeps the descriptor that its service stores (`FDSTORE=1`),
/// preserves it through a kernel update in a session of its own, and passes it to the service that it starts
/// afterwards (`LISTEN_FDS`).
struct Broker {
  private static let socketPath = "/tmp/notify"
  /// A pipe. The first line that is written to it orders the broker to end the service and to preserve what the
  /// service stored.
  private static let orders = "/tmp/broker"

  private let notifications: FileDescriptor
  private var stored: FileDescriptor?
  private var name = "stored"

  private init() throws {
    notifications = try SystemCalls.makeSocket(isDatagram: true)
    try? SystemCalls.unlink(FilePath(Self.socketPath))
    try SystemCalls.bind(notifications, to: .path(FilePath(Self.socketPath)))
  }

  /// Runs a service until the broker is ordered to preserve the service's file. Then the broker waits, since the
  /// session ends with its process.
  ///
  /// - Parameters:
  ///   - from: the session that contains the service's file; "-" for a service without one.
  ///   - to: the session that the file is preserved in.
  ///   - command: the service's program and arguments.
  static func serve(from: String, to: String, command: [String]) throws {
    var broker = try Broker()
    if from != "-" {
      let device = try LiveUpdate.open()
      let session = try device.retrieveSession(named: from)
      broker.stored = try session.retrieve(token: 1)
      try session.finish()
      broker.name = "cache"
      print("retrieved at \(try uptime())")
    }
    let service = try broker.start(command)
    try broker.waitUntilReady()
    print("ready at \(try uptime())")
    fflush(nil)
    // SAFETY: the string ends with a zero byte and outlives the call.
    _ = unsafe mkfifo(orders, 0o600)
    let order = try FileDescriptor.open(FilePath(orders), .readOnly)
    var line: [UInt8] = [0]
    // SAFETY: the bytes are the array's.
    _ = try unsafe line.withUnsafeMutableBytes { try unsafe order.read(into: $0) }
    try order.close()
    SystemCalls.signal(service.processID, SIGTERM)
    print("the service ended: \(service.wait())")
    guard let file = broker.stored else { throw LabFailure.nothingStored }
    let device = try LiveUpdate.open()
    let session = try device.createSession(named: to)
    let start = ContinuousClock.now
    try session.preserve(file, token: 1)
    print("preserved \(try file.seek(offset: 0, from: .end)) bytes in \(start.duration(to: .now))")
    fflush(nil)
    _ = consume device
    withExtendedLifetime(session) { waitForever() }
  }

  /// Starts the service. The stored file is its descriptor 3.
  private func start(_ command: [String]) throws -> ChildProcess {
    var environment = ["PATH": "/bin", "LD_LIBRARY_PATH": "/lib"]
    var script = "exec \"$@\""
    if let stored {
      environment["LISTEN_FDS"] = "1"
      environment["LISTEN_FDNAMES"] = name
      // The variable names the process that execve(2) turns into the service.
      script = "exec 3<&\(stored.rawValue); LISTEN_PID=$$ exec \"$@\""
    }
    let strings = ProgramStrings(
      executable: "/bin/sh", arguments: ["-c", script, "sh"] + command, environment: environment,
      adding: ("NOTIFY_SOCKET", Self.socketPath))
    return ChildProcess(try SystemCalls.spawn(strings, passing: stored.map { [$0] } ?? []))
  }

  /// Takes notifications until the service is ready.
  private mutating func waitUntilReady() throws {
    while true {
      let (bytes, descriptors, _) = try SystemCalls.receive(
        notifications, atMost: 4096, descriptorCount: 4)
      let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
      if lines.contains("FDSTORE=1"), let file = descriptors.first {
        stored = file
        for line in lines where line.hasPrefix("FDNAME=") { name = String(line.dropFirst(7)) }
      } else {
        for descriptor in descriptors { try descriptor.close() }
      }
      if lines.contains("READY=1") { return }
    }
  }
}

/// Seconds since the kernel started.
func uptime() throws -> String {
  let file = try FileDescriptor.open(FilePath("/proc/uptime"), .readOnly)
  defer { try? file.close() }
  var buffer = [UInt8](repeating: 0, count: 64)
  // SAFETY: the bytes are the buffer's.
  let count = try unsafe buffer.withUnsafeMutableBytes { try unsafe file.read(into: $0) }
  return String(decoding: buffer[..<count].prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self)
}
