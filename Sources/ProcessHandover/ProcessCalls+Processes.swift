internal import CProcessHandover
internal import SystemPackage

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

extension ProcessCalls {
  /// execve(2); comes back only with the reason why it cannot.
  ///
  /// - Parameter leavesMemoryBehind: has another process unmap the memory of this one.
  static func execute(
    _ strings: borrowing StartStrings, leavesMemoryBehind: Bool
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

  /// posix_spawn(3); gives the child's process identifier.
  static func spawn(
    _ strings: borrowing StartStrings, passing descriptors: [CInt]
  ) throws(Errno) -> CInt {
    let executable = strings.executable
    // SAFETY: the strings outlive the call, which this value does.
    let arguments = unsafe strings.arguments
    let environment = unsafe strings.environment
    return try perform(.posixSpawn) {
      // SAFETY: as above.
      unsafe executable.withPlatformString { path in
        unsafe kho_spawn(path, arguments, environment, descriptors, descriptors.count)
      }
    }
  }

  /// getenv(3).
  static func environmentValue(_ name: String) -> String? {
    // SAFETY: copied before anything else happens; whoever changes the environment on another
    // thread breaks the rules of setenv(3).
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }

  /// unsetenv(3).
  static func removeEnvironmentValue(_ name: String) {
    // SAFETY: as for reading it.
    _ = unsafe unsetenv(name)
  }
}
