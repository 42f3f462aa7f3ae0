internal import KexecHandover
internal import Platform
internal import SystemPackage

extension OutputRules {
  /// The rules for an output of a command that reads `inputs`.
  ///
  /// - Parameter isForced: whether `--force` was given.
  init(isForced: Bool, isSecret: Bool = false, reading inputs: [FilePath]) {
    self.init(
      replacing: isForced, isSecret: isSecret,
      inputs: inputs.compactMap { try? SystemCalls.status(at: $0) })
  }
}

extension OutputFile {
  /// Opens the output at `path`.
  static func open(_ path: String, _ rules: OutputRules) throws(CommandFailure) -> OutputFile {
    do throws(OutputFileError) { return try OutputFile(at: path, rules) } catch {
      throw .badOutput("\(printable(path: path)): \(error.description)")
    }
  }

  /// Writes `bytes` to `path`.
  static func write(
    _ bytes: [UInt8], to path: String, _ rules: OutputRules
  ) throws(CommandFailure) {
    var file = try open(path, rules)
    do throws(OutputFileError) {
      try file.write(bytes)
      try file.finish()
    } catch {
      throw .badOutput("\(printable(path: path)): \(error.description)")
    }
  }
}

extension ImageOptions {
  /// The files that the command reads.
  var inputs: [FilePath] {
    [isLive ? nil : imagePath, deviceTreePath].compactMap { $0.map { FilePath($0) } }
  }
}
