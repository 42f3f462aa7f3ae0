import Foundation

/// What the built tool gave, run as a process of its own: for commands that start themselves again.
struct BuiltTool {
  let status: Int32
  let output: Data
  let errors: String

  /// The executable of that name, which SwiftPM puts beside the tests.
  static func path(of name: String) -> String {
    URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
      .appending(path: name).path
  }

  /// The executable `kho`.
  static var path: String { path(of: "kho") }

  init(named name: String = "kho", _ arguments: [String]) throws {
    let folder = try TemporaryFolder()
    // Into files, so that the test does not read two pipes at the same time.
    let outputPath = try folder.write([], "output")
    let errorPath = try folder.write([], "errors")
    let process = Process()
    process.executableURL = URL(filePath: Self.path(of: name))
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: URL(filePath: outputPath))
    process.standardError = try FileHandle(forWritingTo: URL(filePath: errorPath))
    try process.run()
    process.waitUntilExit()
    status = process.terminationStatus
    output = try Data(contentsOf: URL(filePath: outputPath))
    errors = String(decoding: try Data(contentsOf: URL(filePath: errorPath)), as: UTF8.self)
  }

  var text: String { String(decoding: output, as: UTF8.self) }

  func json<Report: Decodable>(_ type: Report.Type = Report.self) throws -> Report {
    try JSONDecoder().decode(Report.self, from: output)
  }
}

/// Runs the harness that kills processes.
func torture(_ arguments: String...) throws -> BuiltTool {
  try BuiltTool(named: "kho-torture", arguments)
}

func builtKHO(_ arguments: String...) throws -> BuiltTool { try BuiltTool(arguments) }
