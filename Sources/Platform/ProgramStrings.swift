internal import CPlatform
package import SystemPackage

/// The strings that a program is started with, as execve(2) wants them.
@safe
package struct ProgramStrings: ~Copyable {
  /// The program.
  package let executable: FilePath
  private let argumentStrings: CStrings
  private let environmentStrings: CStrings

  /// The strings for the program at `executable`.
  ///
  /// - Parameters:
  ///   - arguments: without the program's name.
  ///   - environment: nil for that of this process.
  ///   - variable: is added to the environment, in the place of its namesakes.
  package init(
    executable: FilePath, arguments: [String], environment: [String: String]?,
    adding variable: (name: String, value: String)
  ) {
    self.executable = executable
    argumentStrings = CStrings([executable.string] + arguments)
    let assignment = "\(variable.name)=\(variable.value)"
    if let environment {
      let kept = environment.filter { $0.key != variable.name }
      environmentStrings = CStrings(kept.map { "\($0.key)=\($0.value)" } + [assignment])
    } else {
      environmentStrings = CStrings(ownEnvironmentWith: assignment)
    }
  }

  /// The arguments, the program's name first; valid as long as this value.
  var arguments: UnsafePointer<UnsafeMutablePointer<CChar>?> {
    // SAFETY: the strings live as long as this value, as the caller must ensure.
    unsafe argumentStrings.pointers
  }

  /// The environment; valid as long as this value.
  var environment: UnsafePointer<UnsafeMutablePointer<CChar>?> {
    // SAFETY: as above.
    unsafe environmentStrings.pointers
  }
}

/// Strings of C with a null pointer behind the last.
@safe
struct CStrings: ~Copyable {
  private let buffer: UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>

  init(_ strings: [String]) {
    // SAFETY: all of the buffer is initialized before an index inside it is stored to.
    unsafe buffer = .allocate(capacity: strings.count + 1)
    unsafe buffer.initialize(repeating: nil)
    for (index, string) in strings.enumerated() { unsafe buffer[index] = strdup(string) }
  }

  /// The environment of this process byte by byte, with one variable that replaces its namesakes.
  init(ownEnvironmentWith assignment: String) {
    let name = assignment.prefix { $0 != "=" } + "="
    var kept: [UnsafeMutablePointer<CChar>] = unsafe []
    // SAFETY: the environment ends with a null pointer, and its strings with a zero byte; a thread
    // that changes it at the same time breaks the rules of setenv(3).
    if var next = unsafe kho_environment() {
      while let entry = unsafe next.pointee {
        if unsafe strncmp(entry, String(name), name.utf8.count) != 0 { unsafe kept.append(entry) }
        unsafe next += 1
      }
    }
    unsafe buffer = .allocate(capacity: kept.count + 2)
    unsafe buffer.initialize(repeating: nil)
    for index in unsafe kept.indices { unsafe buffer[index] = strdup(kept[index]) }
    unsafe buffer[kept.count] = strdup(assignment)
  }

  var pointers: UnsafePointer<UnsafeMutablePointer<CChar>?> {
    // SAFETY: allocated with at least one element.
    unsafe UnsafePointer(buffer.baseAddress!)
  }

  deinit {
    // SAFETY: the strings and the buffer were allocated above, and are not lent any more.
    for index in unsafe buffer.indices { unsafe free(buffer[index]) }
    unsafe buffer.deallocate()
  }
}
