internal import KexecHandover
internal import Platform
internal import SystemPackage

extension WalkCalibration {
  /// Reads the file that `--calibrate --calibration` wrote.
  static func read(_ path: String) throws(CommandFailure) -> WalkCalibration {
    var bytes: [UInt8]?
    do throws(MemoryImageError) {
      bytes = try SmallFile.read(FilePath(path), atMost: 1 << 16)
    } catch {
      throw .badInput("\(path): \(error.sentence)")
    }
    guard let bytes, let document = try? JSONValue(parsing: bytes),
      let result = WalkCalibration(document)
    else {
      throw .badInput("\(path): no calibration; write one with --calibrate --calibration FILE")
    }
    return result
  }

  func write(to path: String, _ rules: OutputRules) throws(CommandFailure) {
    let text = JSONDocument.calibration(self).text() + "\n"
    try OutputFile.write(Array(text.utf8), to: path, rules)
  }
}
