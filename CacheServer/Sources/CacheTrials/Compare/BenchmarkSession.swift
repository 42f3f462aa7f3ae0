internal import TrialSupport

/// redis-benchmark as it is.
struct BenchmarkSession {
  let requests: Int

  private static let tests = ["SET", "GET", "INCR", "MSET (10 keys)"]

  /// - Returns: what is wrong; nil where nothing is.
  func run(_ server: TrialServer) throws -> String? {
    let result = try ProgramResult.run(
      "redis-benchmark",
      ["-p", "\(server.port)", "-t", "set,get,incr,mset", "-P", "16", "-n", "\(requests)", "-q"],
      log: "\(server.folder)/benchmark", seconds: 120)
    guard result.end == .exited(0) else { return "\(result.end): \(result.output.suffix(300))" }
    if let error = BenchmarkFigures.errors(in: result.output).first { return error }
    if let warning = BenchmarkFigures.warnings(in: result.output).first { return warning }
    // Each test leaves a line with its name; a progress line before ends with a carriage return.
    let lines = result.output.split { $0 == "\r" || $0 == "\n" || $0 == "\r\n" }
    let missing = Self.tests.filter { test in
      !lines.contains { $0.hasPrefix(test + ": ") && $0.contains("requests per second") }
    }
    return missing.isEmpty ? nil : "no figures of \(missing.joined(separator: ", "))"
  }
}
