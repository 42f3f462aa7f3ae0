internal import TrialSupport

/// A server that is tried, or that others are compared with.
final class TrialServer {
  /// Which.
  enum Kind: String {
    case cache = "cache-server"
    case redis = "redis"
    case valkey
    case memcached
  }

  let kind: Kind
  let port: UInt16
  let folder: String
  private let program: String
  private let arguments: [String]
  private let core: Int?
  private var startCount = 0
  /// The process that serves, as far as this one knows.
  var process: ChildProcess

  /// Arguments with which it evicts keys under the load of the clients here.
  static let evicting = ["--maxmemory", "6mb", "--maxmemory-policy", "allkeys-lru"]

  /// Starts one.
  ///
  /// - Parameter extra: arguments after the usual ones.
  /// - Parameter keepsMemory: whether memcached keeps its items in a file, for a warm start.
  init(
    _ kind: Kind, in workshop: Workshop, extra: [String] = [], core: Int? = nil,
    keepsMemory: Bool = true
  ) throws {
    self.kind = kind
    self.core = core
    port = workshop.takePort()
    folder = try workshop.makeFolder(kind.rawValue)
    switch kind {
    case .cache:
      program = workshop.options.serverProgram
      arguments = ["--port", "\(port)", "--memory-file", "\(folder)/memory"] + extra
    case .redis, .valkey:
      program = "\(kind.rawValue)-server"
      arguments =
        [
          "--port", "\(port)", "--bind", "127.0.0.1", "--dir", folder, "--save", "",
          "--daemonize", "no", "--enable-debug-command", "no",
        ] + extra
    case .memcached:
      program = "memcached"
      let user = SystemCalls.ownUser == 0 ? ["-u", "root"] : []
      let file = keepsMemory ? ["-e", "\(folder)/memory"] : []
      arguments = ["-p", "\(port)", "-U", "0", "-l", "127.0.0.1"] + file + user + extra
    }
    process = ChildProcess(id: 0)
    try start()
  }

  deinit { if process.id > 0 { process.kill() } }

  /// The file in which cache-server keeps everything.
  var memoryFile: String { "\(folder)/memory" }

  /// What the process that was started last has said so far.
  var log: String {
    let bytes = (try? SystemCalls.contents(of: "\(folder)/log-\(startCount)")) ?? []
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Starts it, once more.
  func start() throws { process = try launch() }

  /// Starts the program with its arguments, and `more` behind them.
  private func launch(_ more: [String] = []) throws -> ChildProcess {
    startCount += 1
    do {
      return try ChildProcess(
        program, arguments + more, log: "\(folder)/log-\(startCount)", core: core)
    } catch {
      throw TrialFailure("\(program) cannot be started: \(error)")
    }
  }

  /// Starts another cache-server, which waits for the end of this one, and waits until it is ready for that.
  ///
  /// - Returns: the other one; the caller makes it ``process`` once this one has ended.
  func startStandby() throws -> ChildProcess {
    let standby = try launch(["--standby", "yes"])
    let end = SystemCalls.monotonicNanoseconds + 10_000_000_000
    while !log.contains("standing by") {
      guard SystemCalls.monotonicNanoseconds < end else {
        standby.kill()
        throw TrialFailure("\(program) does not stand by: \(log.suffix(500))")
      }
      SystemCalls.sleep(milliseconds: 1)
    }
    return standby
  }

  /// Waits until it answers.
  func awaitReady(seconds: Int = 120) throws {
    let end = SystemCalls.monotonicNanoseconds + UInt64(seconds) * 1_000_000_000
    while SystemCalls.monotonicNanoseconds < end {
      if let ended = try process.ended() {
        process = ChildProcess(id: 0)
        throw TrialFailure("\(program) has ended with \(ended): \(log.suffix(500))")
      }
      if let connection = try? Connection(port: port), isReady(connection) { return }
      SystemCalls.sleep(milliseconds: 1)
    }
    throw TrialFailure("\(program) does not answer within \(seconds) s: \(log.suffix(500))")
  }

  /// - Throws: `TrialFailure` if it does not serve.
  func expectRunning(_ when: String) throws {
    if let connection = try? Connection(port: port), isReady(connection) { return }
    let end = try process.wait(milliseconds: 10_000).map { "has ended with \($0)" }
    if end != nil { process = ChildProcess(id: 0) }
    throw TrialFailure("\(kind.rawValue) \(end ?? "is silent"), \(when): \(log.suffix(500))")
  }

  private func isReady(_ connection: Connection) -> Bool {
    guard kind == .memcached else {
      return (try? connection.call("PING")) == .simple(Array("PONG".utf8))
    }
    connection.enqueue(Array("version\r\n".utf8))
    do {
      try connection.flush()
      try connection.wait(milliseconds: 1000)
      return try connection.fill()
    } catch {
      return false
    }
  }

  /// The process that serves now, which an upgrade has started maybe: as `INFO server` says.
  func askProcess(_ connection: Connection) throws -> ChildProcess {
    ChildProcess(id: Int32(try askNumber("server", "process_id", connection)))
  }

  /// A number that `INFO` reports.
  func askNumber(
    _ section: String, _ name: String, _ connection: Connection
  ) throws -> Int {
    guard case .bulk(let bytes) = try connection.call("INFO", section) else {
      throw TrialFailure("INFO \(section) is not answered")
    }
    for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
    where line.hasPrefix(name + ":") {
      if let number = Int(line.dropFirst(name.count + 1)) { return number }
    }
    throw TrialFailure("INFO \(section) does not contain \(name)")
  }

  /// The memory that it takes, in bytes: that of the process, and of cache-server the storage of the memory file.
  func measureMemory() throws -> Int {
    let field = kind == .cache ? "RssAnon" : "VmRSS"
    guard let memory = process.memoryByteCount(field) else {
      throw TrialFailure("/proc/\(process.id)/status does not contain \(field)")
    }
    let file = kind == .cache ? try SystemCalls.storageByteCount(memoryFile) : 0
    return Int(memory + file)
  }

  /// Ends it for good.
  func stop() {
    if process.id > 0 { process.kill() }
    process = ChildProcess(id: 0)
    try? SystemCalls.removeTree(folder)
  }
}
