internal import KexecHandover

/// How a command ends, the same for all commands.
package enum ExitStatus: Int32 {
  /// Done, and nothing is wrong.
  case done = 0
  /// Findings, differences, or a test that failed: the output says which.
  case findings = 1
  /// The command line is wrong.
  case usage = 2
  /// The input cannot be read, or only in part.
  case inputFailed = 3
  /// The output cannot be written.
  case outputFailed = 4

  /// The table for `kho --help`.
  static let help = """
    Exit status of all commands: 0 done and nothing wrong, 1 findings or differences, 2 the command \
    line is wrong, 3 the input cannot be read, or only in part, 4 the output cannot be written.
    """
}

/// Why a command ends with another status than 0.
package struct CommandFailure: Error {
  let status: ExitStatus
  /// What was found where, and what to do; nil where the output says it already.
  let sentence: String?

  /// Input that cannot be used.
  package static func badInput(_ sentence: String) -> CommandFailure {
    CommandFailure(status: .inputFailed, sentence: sentence)
  }

  /// Something that is wrong with what was looked at, or does not fit; nil where the output says it.
  package static func findings(_ sentence: String? = nil) -> CommandFailure {
    CommandFailure(status: .findings, sentence: sentence)
  }

  /// An output that cannot be written.
  package static func badOutput(_ sentence: String) -> CommandFailure {
    CommandFailure(status: .outputFailed, sentence: sentence)
  }
}

extension JSONDocument {
  /// What is said on standard error where `--json` is given: schema `kho-error/1`.
  ///
  /// - Parameters:
  ///   - sentence: why the command failed; nil where it did not, or where the output says it.
  ///   - warnings: what else was said.
  static func error(_ sentence: String?, _ status: ExitStatus, warnings: [String] = []) -> JSONValue
  {
    make(
      "kho-error/1", ["error": sentence, "status": status.rawValue, "warnings": warnings])
  }
}
