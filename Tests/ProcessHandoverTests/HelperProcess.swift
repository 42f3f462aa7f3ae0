import Foundation
import Testing

/// The executable `ProcessHandoverHelper`, which SwiftPM puts beside the tests.
let helperPath =
  URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
  .appending(path: "ProcessHandoverHelper").path

/// What a program printed, and how it ended.
struct ProcessRun {
  let status: Int32
  let output: String
  let errors: String

  /// Runs a program to its end.
  init(_ program: String, _ arguments: [String]) throws {
    let process = Process()
    let output = Pipe()
    let errors = Pipe()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    // What is printed here fits into a pipe, so one can be read after the other.
    self.output = String(
      decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    self.errors = String(
      decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    status = process.terminationStatus
  }

  /// Runs a task of the helper to its end.
  init(helper arguments: String...) throws {
    try self.init(helperPath, arguments)
  }
}

/// A run of the helper that goes on beside the test.
final class HelperProcess {
  private let process = Process()
  private let output = Pipe()
  private let input = Pipe()

  convenience init(_ arguments: String...) throws {
    try self.init(helperPath, arguments)
  }

  /// A run of another program, which becomes the helper.
  init(
    _ program: String, _ arguments: [String], environment: [String: String]? = nil
  ) throws {
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    if let environment { process.environment = environment }
    process.standardInput = input
    process.standardOutput = output
    try process.run()
  }

  var processID: Int32 { process.processIdentifier }

  /// The next line that it prints; empty at the end.
  func readLine() throws -> String {
    var line: [UInt8] = []
    while let byte = try output.fileHandleForReading.read(upToCount: 1)?.first, byte != 10 {
      line.append(byte)
    }
    return String(decoding: line, as: UTF8.self)
  }

  /// Gives it a line of input, for which it waits.
  func proceed() throws { try input.fileHandleForWriting.write(contentsOf: Data([10])) }

  /// Waits for its end, and gives its status.
  func wait() -> Int32 {
    process.waitUntilExit()
    return process.terminationStatus
  }

  /// Ends it at once, SIGKILL, and waits until it is gone.
  func kill() {
    Foundation.kill(processID, SIGKILL)
    process.waitUntilExit()
  }

  deinit { if process.isRunning { kill() } }
}
