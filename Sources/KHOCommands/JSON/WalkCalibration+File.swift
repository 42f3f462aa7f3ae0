internal import FoundationEssentials
internal import KexecHandover
internal import Platform
internal import SystemPackage

extension WalkCalibration {
  /// Reads what ``write(to:)`` wrote.
  static func read(_ path: String) throws(CommandFailure) -> WalkCalibration {
    var bytes: [UInt8]?
    do throws(MemoryImageError) {
      bytes = try SmallFile.read(FilePath(path), atMost: 1 << 16)
    } catch {
      throw .badInput("\(path): \(error.sentence)")
    }
    guard let bytes,
      let result = try? JSONDecoder().decode(WalkCalibration.self, from: Data(bytes)),
      result.schema == currentSchema
    else {
      throw .badInput("\(path): no calibration; write one with --calibrate --calibration FILE")
    }
    return result
  }

  func write(to path: String, _ rules: OutputRules) throws(CommandFailure) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    guard let data = try? encoder.encode(self) else {
      preconditionFailure("a calibration that cannot be encoded")
    }
    try OutputFile.write(Array(data) + [UInt8(ascii: "\n")], to: path, rules)
  }
}
