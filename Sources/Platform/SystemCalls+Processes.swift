internal import CPlatform
package import SystemPackage

extension SystemCalls {
  /// execve(2); comes back only with the reason why it cannot.
  ///
  /// - Parameter leavesMemoryBehind: has another process unmap the memory of this one.
  package static func execute(
    _ strings: borrowing ProgramStrings, leavesMemoryBehind: Bool
  ) -> Errno {
    let executable = strings.executable
    // SAFETY: the strings outlive the call, which this value does.
    let arguments = unsafe strings.arguments
    let environment = unsafe strings.environment
    do throws(Errno) {
      try perform(.execve) {
        // SAFETY: as above.
        unsafe executable.withPlatformString { path in
          unsafe kho_exec(path, arguments, environment, leavesMemoryBehind ? 1 : 0)
        }
      }
    } catch {
      return error
    }
    return .ioError
  }

  /// Starts a program in a child of this process, which gets the standard streams and `descriptors`,
  /// and no others: clone(2) and execve(2); returns the child's process identifier.
  package static func spawn(
    _ strings: borrowing ProgramStrings, passing descriptors: [FileDescriptor]
  ) throws(Errno) -> CInt {
    let executable = strings.executable
    let numbers = descriptors.map(\.rawValue).sorted()
    // SAFETY: the strings outlive the call, which this value does.
    let arguments = unsafe strings.arguments
    let environment = unsafe strings.environment
    let hasCloseRange: CInt = mayCloseRange ? 1 : 0
    return try perform(.spawn) {
      // SAFETY: as above.
      unsafe executable.withPlatformString { path in
        unsafe kho_spawn(path, arguments, environment, numbers, numbers.count, hasCloseRange)
      }
    }
  }

  /// Starts the process that shares the memory of this one; see `CPlatform.h`.
  package static func startKeeper() throws(Errno) -> CInt {
    try perform(.startKeeper) { kho_start_keeper() }
  }

  /// That process; nil where none runs.
  package static var keeperID: CInt? {
    let process = kho_keeper()
    return process == 0 ? nil : process
  }

  /// Ends that process, and waits until it has left the memory.
  package static func stopKeeper() { kho_stop_keeper() }

  /// kill(2). A failure is ignored: the process is gone, or not this user's.
  package static func signal(_ processID: Int32, _ signal: Int32) { _ = kill(processID, signal) }

  /// getpid(2).
  package static var processID: Int32 { getpid() }

  /// geteuid(2).
  package static var effectiveUserID: UInt32 { geteuid() }

  /// Nanoseconds of CLOCK_MONOTONIC, which every process reads the same.
  package static var monotonicNanoseconds: UInt64 {
    var time = timespec()
    // SAFETY: `time` outlives the call.
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec)
  }

  /// getenv(3).
  package static func environmentValue(_ name: String) -> String? {
    // SAFETY: copied before anything else happens; a thread that changes the environment at the
    // same time breaks the rules of setenv(3).
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }

  /// unsetenv(3).
  package static func removeEnvironmentValue(_ name: String) {
    // SAFETY: as for reading it.
    _ = unsafe unsetenv(name)
  }
}
