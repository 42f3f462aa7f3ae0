public import SystemPackage

/// A program that was started, or one that this process is the parent of since its own is gone.
public struct ChildProcess: Sendable {
  /// Its number.
  public let id: Int32

  /// One that runs already.
  public init(id: Int32) { self.id = id }

  /// Starts a program, found along PATH, which writes both streams to a file.
  ///
  /// - Parameters:
  ///   - input: the file that it reads; nothing where none is named.
  ///   - log: the file, which is made anew.
  ///   - core: where it runs; nil for anywhere.
  /// - Throws: `Errno`.
  public init(
    _ program: String, _ arguments: [String], input: String = "/dev/null", log: String,
    core: Int? = nil
  ) throws {
    let output = try SystemCalls.create(log)
    defer { try? output.close() }
    let reading = try SystemCalls.open(input)
    defer { try? reading.close() }
    id = try SystemCalls.spawn(
      program, arguments, input: reading, output: output, errors: output, core: core)
  }

  /// The same, with this process's standard streams.
  public init(inheriting program: String, _ arguments: [String]) throws(Errno) {
    id = try SystemCalls.spawn(
      program, arguments, input: .standardInput, output: .standardOutput,
      errors: .standardError, core: nil)
  }

  /// Sends a signal.
  ///
  /// - Precondition: it is a process; 0 would be all that this one was started with.
  public func signal(_ number: Int32) {
    precondition(id > 0, "a process has a number")
    SystemCalls.signal(id, number)
  }

  /// How it has ended; nil while it runs.
  public func ended() throws(Errno) -> ProcessEnd? { try SystemCalls.ended(id, waits: false) }

  /// Waits until it has.
  @discardableResult
  public func wait() throws(Errno) -> ProcessEnd {
    while true { if let end = try SystemCalls.ended(id, waits: true) { return end } }
  }

  /// Waits for at most that long; nil where it still runs.
  public func wait(milliseconds: Int) throws(Errno) -> ProcessEnd? {
    if let end = try ended() { return end }
    let descriptor = try SystemCalls.openProcess(id)
    defer { SystemCalls.closeDescriptor(descriptor) }
    var wanted = [SystemCalls.Wanted(descriptor)]
    try SystemCalls.poll(&wanted, milliseconds: milliseconds)
    return try ended()
  }

  /// A descriptor that is readable once it has ended, for poll(2); to be closed.
  public func openForPolling() throws(Errno) -> CInt { try SystemCalls.openProcess(id) }

  /// Closes such a descriptor.
  public static func close(_ descriptor: CInt) { SystemCalls.closeDescriptor(descriptor) }

  /// Kills it, and waits until it is gone.
  public func kill() {
    signal(SignalNumber.kill)
    _ = try? wait()
  }

  /// The processor time of all its threads, in seconds, to a hundredth: from /proc/ID/stat; `nil` if the process has ended.
  public var processorSeconds: Double? {
    guard let text = try? SystemCalls.contents(of: "/proc/\(id)/stat"),
      let end = text.lastIndex(of: UInt8(ascii: ")"))
    else { return nil }
    // Behind the name: the state is the first field, the times in the program and in the kernel 12 and 13.
    let fields = String(decoding: text[(end + 1)...], as: UTF8.self).split(separator: " ")
    guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
      return nil
    }
    // In clock ticks, sysconf(_SC_CLK_TCK): Linux has 100 of them a second on x86-64 and on arm64.
    return (user + system) / 100
  }

  /// Bytes of memory from /proc/ID/status: `VmRSS`, `RssAnon`; nil where it is gone.
  public func memoryByteCount(_ field: String) -> UInt64? {
    guard let text = try? SystemCalls.contents(of: "/proc/\(id)/status") else { return nil }
    for line in String(decoding: text, as: UTF8.self).split(separator: "\n")
    where line.hasPrefix(field + ":") {
      let words = line.split { $0 == " " || $0 == "\t" }
      if words.count > 1, let kilobytes = UInt64(words[1]) { return kilobytes * 1024 }
    }
    return nil
  }
}

/// What a program wrote, and how it ended.
public struct ProgramResult: Sendable {
  /// Both streams.
  public let output: String
  /// The end.
  public let end: ProcessEnd

  /// Runs a program to its end; kills it where that takes longer than `seconds`.
  ///
  /// - Throws: `Errno`.
  public static func run(
    _ program: String, _ arguments: [String], input: String = "/dev/null", log: String,
    core: Int? = nil, seconds: Int = 600
  ) throws -> ProgramResult {
    let process = try ChildProcess(program, arguments, input: input, log: log, core: core)
    var end = try process.wait(milliseconds: seconds * 1000)
    if end == nil {
      process.signal(SignalNumber.kill)
      end = try process.wait()
    }
    return ProgramResult(
      output: String(decoding: try SystemCalls.contents(of: log), as: UTF8.self),
      end: end ?? .killed(signal: SignalNumber.kill))
  }
}
