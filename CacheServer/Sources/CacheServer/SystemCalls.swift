internal import CServerSupport
internal import CacheCore
internal import SystemPackage

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// The few calls that no library makes for us.
enum SystemCalls {
  /// getpid(2).
  static var processID: Int32 { getpid() }

  /// Lets the process open as many descriptors as it may at all: setrlimit(2) of RLIMIT_NOFILE.
  ///
  /// - Returns: how many that are.
  static func raiseDescriptorLimit() -> Int {
    var limit = rlimit()
    // SAFETY: both calls use the structure while they run.
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      return 1024
    }
    if limit.rlim_cur < limit.rlim_max {
      var raised = limit
      raised.rlim_cur = limit.rlim_max
      if unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 {
        limit = raised
      }
    }
    return Int(min(limit.rlim_cur, 1 << 20))
  }

  /// How many processors the process may use: sched_getaffinity(2).
  static func processorCount() -> Int { Int(cs_processor_count()) }

  /// Lowers the priority of the calling thread for good: nice(2).
  static func giveWay() { _ = nice(10) }

  /// Lets another thread of the same priority have the processor: sched_yield(2).
  static func yield() { sched_yield() }

  /// Ends a child and waits until it has ended: kill(2), waitpid(2).
  static func killAndWait(_ child: Int32) {
    kill(child, SIGKILL)
    while waitpid(child, nil, 0) == -1, errno == EINTR {}
  }

  /// The exit status of a child that has ended, as `status 1` or `signal 9`; nil while it runs.
  static func exitText(of child: Int32) -> String? {
    var status: Int32 = 0
    // SAFETY: the call fills the number.
    guard unsafe waitpid(child, &status, WNOHANG) == child else { return nil }
    let signal = status & 0x7f
    return signal == 0 ? "status \((status >> 8) & 0xff)" : "signal \(signal)"
  }

  /// All of a small file, up to `limit` bytes.
  static func contents(of path: FilePath, atMost limit: Int) throws -> [UInt8] {
    let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
    defer { try? file.close() }
    var all: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 14)
    while all.count < limit {
      // SAFETY: lent for the length of the call, which writes no more than there is.
      let count = try unsafe piece.withUnsafeMutableBytes { try unsafe file.read(into: $0) }
      if count == 0 { break }
      all += piece[..<count]
    }
    return Array(all.prefix(limit))
  }

  /// Whether a process was killed and is not gone yet: SIGKILL waits for it, or it is a zombie. Both are in
  /// /proc/PID/status.
  static func isEnding(_ process: Int32) -> Bool {
    guard let bytes = try? contents(of: FilePath("/proc/\(process)/status"), atMost: 1 << 14) else {
      return true
    }
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let fields = line.split(whereSeparator: { $0 == "\t" || $0 == " " })
      guard fields.count > 1 else { continue }
      switch fields[0] {
      case "State:": if fields[1] == "Z" || fields[1] == "X" { return true }
      case "SigPnd:", "ShdPnd:":
        // A bit for each signal, from that of signal 1 on.
        let signals = UInt64(fields[1], radix: 16) ?? 0
        if signals >> UInt64(SIGKILL - 1) & 1 != 0 { return true }
      default: break
      }
    }
    return false
  }

  /// Puts a file of those bytes in the place of one: written beside it, flushed to the disk, and renamed, so
  /// that the old or the new one is there whatever happens.
  static func replace(_ path: FilePath, with bytes: [UInt8]) throws {
    var status = stat()
    let mode: FilePermissions
    // SAFETY: the call uses the text while it runs, and fills the structure.
    if unsafe stat(path.string, &status) == 0 {
      mode = FilePermissions(rawValue: status.st_mode & 0o777)
    } else {
      mode = [.ownerReadWrite]
    }
    let temporary = FilePath(path.string + ".\(getpid())")
    do {
      let file = try FileDescriptor.open(
        temporary, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
        permissions: mode)
      try file.closeAfter {
        try file.writeAll(bytes)
        guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
      }
      // SAFETY: the call uses the texts while it runs.
      guard unsafe rename(temporary.string, path.string) == 0 else {
        throw Errno(rawValue: errno)
      }
    } catch {
      removeFile(temporary.string)
      throw error
    }
  }

  /// The processor time of this process and of its children that have ended: getrusage(2).
  static func processorTime() -> ProcessorTime {
    func microseconds(_ time: timeval) -> UInt64 {
      UInt64(time.tv_sec) &* 1_000_000 &+ UInt64(time.tv_usec)
    }
    var time = ProcessorTime()
    var usage = rusage()
    // SAFETY: both calls fill the structure.
    if unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 {
      time.user = microseconds(usage.ru_utime)
      time.system = microseconds(usage.ru_stime)
    }
    if unsafe getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage) == 0 {
      time.childrenUser = microseconds(usage.ru_utime)
      time.childrenSystem = microseconds(usage.ru_stime)
    }
    return time
  }

  /// usleep(3).
  static func wait(microseconds: UInt32) { usleep(microseconds) }

  /// socketpair(2) of two streams that programs started later do not get.
  static func makeStreamPair() throws(Errno) -> (FileDescriptor, FileDescriptor) {
    var pair: [Int32] = [-1, -1]
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    // SAFETY: the call fills both numbers.
    guard unsafe socketpair(AF_UNIX, type, 0, &pair) == 0 else {
      throw Errno(rawValue: errno)
    }
    return (FileDescriptor(rawValue: pair[0]), FileDescriptor(rawValue: pair[1]))
  }

  /// Bounds how long reads and writes wait: SO_RCVTIMEO, SO_SNDTIMEO.
  static func setTimeout(_ socket: FileDescriptor, seconds: Int) {
    var time = timeval(tv_sec: seconds, tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      // SAFETY: the structure outlives the call, and has that size.
      _ = unsafe setsockopt(socket.rawValue, SOL_SOCKET, option, &time, size)
    }
  }

  /// The bytes of memory that the process has: the second number of /proc/self/statm.
  static func residentByteCount() -> UInt64 {
    guard let file = try? FileDescriptor.open(FilePath("/proc/self/statm"), .readOnly) else {
      return 0
    }
    defer { try? file.close() }
    var bytes = [UInt8](repeating: 0, count: 128)
    // SAFETY: lent for the length of the call, which writes no more than there is.
    let count = (try? unsafe bytes.withUnsafeMutableBytes { try unsafe file.read(into: $0) }) ?? 0
    let fields = String(decoding: bytes[..<count], as: UTF8.self).split(separator: " ")
    guard fields.count > 1, let pages = UInt64(fields[1]) else { return 0 }
    return pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
  }
}

/// What goes to standard error without a time before it.
enum StandardError {
  /// Writes all of `text`, as far as it is read.
  static func write(_ text: String) {
    _ = try? FileDescriptor.standardError.writeAll(text.utf8)
  }
}
