import KexecHandover
import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A process of this program in one of its roles.
struct RoleProcess: ~Copyable {
  private let processID: Int32
  private let report: FileDescriptor

  /// Starts it; `arguments` are made as late as that can be.
  init(_ arguments: () -> [String]) throws {
    let pipe = try FileDescriptor.pipe()
    var role = Successor(Roles.program, arguments: arguments())
    role.pass(NamedDescriptor(Roles.reportName, pipe.writeEnd))
    let processID = try role.spawn()
    try pipe.writeEnd.close()
    self.processID = processID
    report = pipe.readEnd
  }

  /// The numbers of the line that it writes.
  func numbers() throws -> [UInt64] {
    var line: [UInt8] = []
    var byte: [UInt8] = [0]
    while try unsafe byte.withUnsafeMutableBytes({ try unsafe report.read(into: $0) }) == 1,
      byte[0] != UInt8(ascii: "\n")
    {
      line.append(byte[0])
    }
    return String(decoding: line, as: UTF8.self).split(separator: " ").compactMap { UInt64($0) }
  }

  /// Waits for its end, which must be a good one.
  consuming func wait() throws {
    try report.close()
    var status: CInt = -1
    // SAFETY: fills the value that it is given.
    guard unsafe waitpid(processID, &status, 0) == processID, status == 0 else {
      fail("a process failed")
    }
  }

  /// Ends it at once, SIGKILL.
  consuming func kill() throws {
    try report.close()
    var status: CInt = -1
    // SAFETY: fills the value that it is given.
    guard Glibc.kill(processID, SIGKILL) == 0, unsafe waitpid(processID, &status, 0) == processID
    else { fail("a process cannot be killed") }
  }

  /// Runs it to its end; gives its numbers.
  static func run(_ arguments: () -> [String]) throws -> [UInt64] {
    let process = try RoleProcess(arguments)
    let numbers = try process.numbers()
    try process.wait()
    return numbers
  }
}
