internal import CTrialSupport
internal import Glibc
public import SystemPackage

/// What the trials ask of the operating system: the one file with unsafe code.
public enum SystemCalls {
  /// What a call gave, or the error that it named.
  private static func checked(_ result: some SignedInteger) throws(Errno) -> Int {
    if result < 0 { throw Errno(rawValue: CInt(-result)) }
    return Int(result)
  }

  /// The same for calls that set errno; made again where a signal interrupted it.
  private static func checkedErrno(_ call: () -> Int) throws(Errno) -> Int {
    while true {
      let result = call()
      if result >= 0 { return result }
      if errno != EINTR { throw Errno(rawValue: errno) }
    }
  }

  // MARK: Sockets

  /// A socket connected to a port of 127.0.0.1.
  static func connect(port: UInt16) throws(Errno) -> CInt { CInt(try checked(ct_connect(port))) }

  /// Whether nobody has that port of 127.0.0.1.
  static func isPortFree(_ port: UInt16) -> Bool { ct_is_port_free(port) == 1 }

  /// send(2) without SIGPIPE and without waiting; how many bytes were taken.
  static func send(_ socket: CInt, _ bytes: ArraySlice<UInt8>) throws(Errno) -> Int {
    let flags = CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT)
    do throws(Errno) {
      return try checkedErrno {
        // SAFETY: the bytes are lent for the length of the call.
        unsafe bytes.withUnsafeBytes { unsafe Glibc.send(socket, $0.baseAddress, $0.count, flags) }
      }
    } catch Errno.resourceTemporarilyUnavailable {
      return 0
    }
  }

  /// recv(2) without waiting into `bytes` from `start`; nil where nothing has come yet, 0 at the end
  /// of the stream.
  static func receive(
    _ socket: CInt, into bytes: inout [UInt8], from start: Int
  ) throws(Errno) -> Int? {
    do throws(Errno) {
      return try checkedErrno {
        // SAFETY: the call writes at most the bytes behind `start`.
        unsafe bytes.withUnsafeMutableBytes {
          unsafe recv(
            socket, $0.baseAddress! + start, $0.count - start, CInt(MSG_DONTWAIT))
        }
      }
    } catch Errno.resourceTemporarilyUnavailable {
      return nil
    }
  }

  /// What poll(2) waits for, and says.
  public struct Wanted: Sendable {
    /// The socket; also a process's or a pipe's descriptor.
    public var descriptor: CInt
    /// Whether room for bytes is wanted too.
    public var wantsRoom = false
    /// Whether there is something to read, an error or the end.
    public internal(set) var isReadable = false
    /// Whether there is room.
    public internal(set) var hasRoom = false

    /// Waits for something to read.
    public init(_ descriptor: CInt, wantsRoom: Bool = false) {
      self.descriptor = descriptor
      self.wantsRoom = wantsRoom
    }
  }

  /// poll(2).
  public static func poll(_ wanted: inout [Wanted], milliseconds: Int) throws(Errno) {
    var list = wanted.map {
      pollfd(
        fd: $0.descriptor, events: Int16($0.wantsRoom ? POLLIN | POLLOUT : POLLIN), revents: 0)
    }
    let count = list.count
    _ = try checkedErrno {
      // SAFETY: the list outlives the call.
      Int(unsafe Glibc.poll(&list, nfds_t(count), CInt(clamping: milliseconds)))
    }
    for index in wanted.indices {
      let events = list[index].revents
      wanted[index].isReadable = events & Int16(POLLIN | POLLHUP | POLLERR) != 0
      wanted[index].hasRoom = events & Int16(POLLOUT) != 0
    }
  }

  /// close(2).
  static func closeDescriptor(_ descriptor: CInt) { _ = close(descriptor) }

  // MARK: Processes

  /// Starts a program, found along PATH.
  static func spawn(
    _ program: String, _ arguments: [String], input: CInt, output: CInt, errors: CInt, core: Int?
  ) throws(Errno) -> Int32 {
    // SAFETY: the strings and the null pointer behind the last outlive the call, and are freed.
    var strings = unsafe ([program] + arguments).map { unsafe strdup($0) }
    unsafe strings.append(nil)
    defer { unsafe strings.forEach { unsafe free($0) } }
    let result = unsafe ct_spawn(program, strings, input, output, errors, CInt(core ?? -1))
    return Int32(try checked(result))
  }

  /// Makes orphans below this process its own children.
  public static func becomeSubreaper() throws(Errno) { _ = try checked(ct_become_subreaper()) }

  /// SIGTERM, SIGINT and SIGHUP, and the end of `parent`, end this process and all below it, and
  /// remove `folder`.
  public static func endWithParent(
    _ parent: Int32?, removing folder: String? = nil
  ) throws(Errno) {
    // SAFETY: the call copies the text.
    _ = try checked(unsafe ct_end_with_parent(CInt(parent ?? 0), folder))
  }

  /// Kills every process below this one.
  public static func killChildren() { ct_kill_children() }

  /// This process on one core alone.
  public static func pin(toCore core: Int) throws(Errno) { _ = try checked(ct_pin(CInt(core))) }

  /// How many cores this process may use.
  public static var coreCount: Int { max(1, Int(ct_core_count())) }

  /// kill(2).
  public static func signal(_ process: Int32, _ number: CInt) { _ = kill(process, number) }

  /// waitpid(2): how the process has ended; nil while it runs, where it does not wait.
  static func ended(_ process: Int32, waits: Bool) throws(Errno) -> ProcessEnd? {
    var status: CInt = 0
    let found = try checkedErrno {
      // SAFETY: `status` outlives the call.
      Int(unsafe waitpid(process, &status, waits ? 0 : WNOHANG))
    }
    if found == 0 { return nil }
    // wait(2): the low seven bits are the signal, the second byte is the status.
    let signal = status & 0x7f
    return signal == 0 ? .exited(status >> 8 & 0xff) : .killed(signal: signal)
  }

  /// pidfd_open(2): readable once the process has ended.
  static func openProcess(_ process: Int32) throws(Errno) -> CInt {
    CInt(try checked(ct_open_process(process)))
  }

  /// getpid(2).
  public static var ownProcess: Int32 { getpid() }

  /// geteuid(2).
  public static var ownUser: UInt32 { geteuid() }

  // MARK: Files

  /// A file for writing, made anew.
  static func create(_ path: String) throws(Errno) -> CInt {
    // SAFETY: the call uses the text while it runs.
    CInt(try checked(unsafe ct_create(path)))
  }

  /// A file for reading.
  static func open(_ path: String) throws(Errno) -> CInt {
    // SAFETY: the call uses the text while it runs.
    CInt(try checked(unsafe ct_open(path)))
  }

  /// Makes a file of those bytes.
  public static func writeFile(_ path: String, _ bytes: [UInt8]) throws(Errno) {
    let file = try create(path)
    defer { closeDescriptor(file) }
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = try checkedErrno {
        // SAFETY: the bytes are lent for the length of the call.
        unsafe rest.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
      }
      rest = rest.dropFirst(count)
    }
  }

  /// A pipe.
  static func pipe() throws(Errno) -> (reading: CInt, writing: CInt) {
    var ends: [CInt] = [-1, -1]
    // SAFETY: the call fills both numbers.
    _ = try checked(unsafe ct_pipe(&ends))
    return (ends[0], ends[1])
  }

  /// mkdir(2) with mode 0700.
  public static func makeFolder(_ path: String) throws(Errno) {
    // SAFETY: the call uses the text while it runs.
    _ = try checkedErrno { Int(unsafe mkdir(path, 0o700)) }
  }

  /// A file or folder with everything in it.
  public static func removeTree(_ path: String) throws(Errno) {
    // SAFETY: the call uses the text while it runs.
    _ = try checked(unsafe ct_remove_tree(path))
  }

  /// Bytes of storage that a file takes, st_blocks of stat(2).
  public static func storageByteCount(_ path: String) throws(Errno) -> UInt64 {
    var status = stat()
    // SAFETY: `status` outlives the call.
    _ = try checkedErrno { Int(unsafe stat(path, &status)) }
    return UInt64(status.st_blocks) * 512
  }

  /// read(2); empty at the end.
  static func read(_ descriptor: CInt, atMost limit: Int) throws(Errno) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: limit)
    let count = try checkedErrno {
      // SAFETY: the call writes at most `limit` bytes.
      unsafe Glibc.read(descriptor, &bytes, limit)
    }
    bytes.removeLast(limit - count)
    return bytes
  }

  /// All of a small file, or of one from /proc.
  public static func contents(of path: String) throws(Errno) -> [UInt8] {
    let file = try open(path)
    defer { closeDescriptor(file) }
    var all: [UInt8] = []
    while true {
      let some = try read(file, atMost: 1 << 16)
      if some.isEmpty { return all }
      all += some
    }
  }

  /// Writes all of `text`, as far as somebody reads it.
  public static func write(_ text: String, to descriptor: CInt) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = try? checkedErrno {
        // SAFETY: the bytes are lent for the length of the call.
        unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      }
      guard let count else { return }
      rest = rest.dropFirst(count)
    }
  }

  /// The path of this program.
  public static var ownProgram: String {
    var bytes = [CChar](repeating: 0, count: 4096)
    // SAFETY: the call fills no more than the buffer, which keeps a zero byte at its end.
    let count = unsafe readlink("/proc/self/exe", &bytes, bytes.count - 1)
    return String(
      decoding: bytes[..<max(count, 0)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The kernel's release, uname(2).
  public static var kernelRelease: String {
    let bytes = (try? contents(of: "/proc/sys/kernel/osrelease")) ?? []
    return String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self)
  }

  // MARK: Time

  /// Nanoseconds of CLOCK_MONOTONIC.
  public static var monotonicNanoseconds: UInt64 { nanoseconds(CLOCK_MONOTONIC) }

  /// Milliseconds since 1970, CLOCK_REALTIME.
  public static var realtimeMilliseconds: UInt64 { nanoseconds(CLOCK_REALTIME) / 1_000_000 }

  private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    // SAFETY: `time` outlives the call, which cannot fail for these clocks.
    _ = unsafe clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// Waits that long.
  public static func sleep(milliseconds: Int) {
    _ = usleep(UInt32(clamping: milliseconds) * 1000)
  }

  /// The same.
  public static func sleep(microseconds: Int) { _ = usleep(UInt32(clamping: microseconds)) }

  /// The value of an environment variable.
  public static func environmentValue(_ name: String) -> String? {
    // SAFETY: copied at once; nobody here changes the environment meanwhile.
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }

  /// setenv(3).
  public static func setEnvironmentValue(_ name: String, _ value: String) {
    // SAFETY: the call copies both.
    _ = unsafe setenv(name, value, 1)
  }
}

/// How a process ended.
public enum ProcessEnd: Equatable, Sendable, CustomStringConvertible {
  /// By itself.
  case exited(Int32)
  /// By a signal.
  case killed(signal: Int32)

  /// In words.
  public var description: String {
    switch self {
    case .exited(let status): "exit status \(status)"
    case .killed(let signal): "signal \(signal)"
    }
  }
}

/// The signals that the trials send.
public enum SignalNumber {
  /// SIGKILL.
  public static let kill: Int32 = 9
  /// SIGUSR1.
  public static let user1: Int32 = 10
  /// SIGUSR2.
  public static let user2: Int32 = 12
  /// SIGTERM.
  public static let terminate: Int32 = 15
  /// SIGCONT.
  public static let resume: Int32 = 18
  /// SIGSTOP.
  public static let stop: Int32 = 19
}
