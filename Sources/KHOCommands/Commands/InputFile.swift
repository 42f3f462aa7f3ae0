internal import KexecHandover
internal import SystemPackage

/// The files that a command reads as a whole, beside an image.
enum InputFile {
  /// The bytes of the file at `path`; of standard input for `-`.
  static func read(_ path: String, atMost limit: Int) throws(CommandFailure) -> [UInt8] {
    let name = path == "-" ? "standard input" : printable(path: path)
    let bytes: [UInt8]?
    do throws(MemoryImageError) {
      bytes =
        path == "-"
        ? try SmallFile.readStandardInput(atMost: limit)
        : try SmallFile.read(FilePath(path), atMost: limit)
    } catch {
      throw .badInput("\(name): \(error)")
    }
    guard let bytes else {
      throw .badInput("\(name) has more than \(byteText(UInt64(limit)))")
    }
    return bytes
  }
}
