internal import CTrialSupport
internal import Glibc
public import SystemPackage

extension SystemCalls {
  /// Starts a program, found along PATH.
  static func spawn(
    _ program: String, _ arguments: [String], input: FileDescriptor, output: FileDescriptor,
    errors: FileDescriptor, core: Int?
  ) throws(Errno) -> Int32 {
    // SAFETY: the strings and the null pointer behind the last outlive the call, and are freed.
    var strings = unsafe ([program] + arguments).map { unsafe strdup($0) }
    unsafe strings.append(nil)
    defer { unsafe strings.forEach { unsafe free($0) } }
    let result = unsafe ct_spawn(
      program, strings, input.rawValue, output.rawValue, errors.rawValue, CInt(core ?? -1))
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

  /// The value of an environment variable.
  public static func environmentValue(_ name: String) -> String? {
    // SAFETY: copied at once; no code here changes the environment meanwhile.
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }

  /// setenv(3).
  public static func setEnvironmentValue(_ name: String, _ value: String) {
    // SAFETY: the call copies both.
    _ = unsafe setenv(name, value, 1)
  }
}

extension SystemCalls {
  /// Raises the soft limit on descriptors of this process, and of the programs that it starts, to the hard limit:
  /// setrlimit(2) of RLIMIT_NOFILE.
  ///
  /// - Returns: the new limit; 0 if the system does not report one.
  public static func raiseDescriptorLimit() -> Int {
    var limit = rlimit()
    // SAFETY: the call fills the structure.
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      return 0
    }
    limit.rlim_cur = limit.rlim_max
    // SAFETY: the call reads the structure.
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return Int(clamping: limit.rlim_cur)
  }

  /// How many descriptors a process has open: the entries of /proc/PID/fd.
  ///
  /// - Throws: the error of opendir(3), as `noSuchFileOrDirectory` for a process that has ended.
  public static func descriptorCount(of process: Int32) throws(Errno) -> Int {
    // SAFETY: the call uses the text while it runs; the folder is closed below, once.
    guard let folder = unsafe opendir("/proc/\(process)/fd") else {
      throw Errno(rawValue: errno)
    }
    defer { unsafe closedir(folder) }
    var count = 0
    // SAFETY: an entry is only compared with nil.
    while unsafe readdir(folder) != nil { count += 1 }
    // `.` and `..`
    return count - 2
  }
}
