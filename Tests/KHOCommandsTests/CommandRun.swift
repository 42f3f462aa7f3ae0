import Foundation
import KHOCommands
import Testing

/// What a command gave.
struct CommandRun {
  let status: Int32
  let output: [UInt8]
  let errors: String

  /// Runs the tool with `arguments`, inside this process.
  init(_ arguments: [String]) {
    final class Capture {
      var output: [UInt8] = []
      var errors: [UInt8] = []
    }
    let capture = Capture()
    let console = Console(
      output: {
        capture.output += $0
        return nil
      },
      errors: { capture.errors += $0 })
    status = KHOCommandLine.run(arguments, console: console)
    output = capture.output
    errors = String(decoding: capture.errors, as: UTF8.self)
  }

  /// What was said on standard error, where that is one JSON object.
  var errorJSON: ErrorJSON? {
    try? JSONDecoder().decode(ErrorJSON.self, from: Data(errors.utf8))
  }

  var text: String { String(decoding: output, as: UTF8.self) }

  /// Standard output, line by line.
  var lines: [Substring] { text.split(separator: "\n") }

  func json<Report: Decodable>(_ type: Report.Type = Report.self) throws -> Report {
    try JSONDecoder().decode(Report.self, from: Data(output))
  }
}

/// What `--json` makes of what is said on standard error.
struct ErrorJSON: Decodable {
  let schema: String
  let error: String?
  let status: Int32
  let warnings: [String]
}

/// Runs the tool with `arguments`, inside this process.
func kho(_ arguments: String...) -> CommandRun { CommandRun(arguments) }

/// A folder that is gone when its owner is.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "kho-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appending(path: name).path }

  /// Writes a file; gives its path.
  func write(_ bytes: [UInt8], _ name: String = "image") throws -> String {
    try Data(bytes).write(to: url.appending(path: name))
    return path(name)
  }
}
