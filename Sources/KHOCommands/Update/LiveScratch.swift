internal import KexecHandover
internal import Platform
internal import SystemPackage

/// The scratch areas of the running kernel, as debugfs shows them.
enum LiveScratch {
  /// The sizes of the areas in bytes; nil where they are not shown.
  static func areas(_ root: FilePath) -> [UInt64]? {
    let path = root.pushing("sys/kernel/debug/kho/out/scratch_len")
    guard let bytes = try? SmallFile.read(path, atMost: 1 << 16) else { return nil }
    // A line for each area, hexadecimal.
    let areas = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
      .compactMap { UInt64($0.hasPrefix("0x") ? $0.dropFirst(2) : $0, radix: 16) }
    return areas.isEmpty ? nil : areas
  }
}
