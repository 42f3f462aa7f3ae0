/// The part of `/proc/meminfo` that a plan needs.
public struct MemoryInfo: Hashable, Sendable {
  /// The memory that the page allocator got, `MemTotal`, in bytes.
  public let total: UInt64

  /// The most bytes of the file that are read.
  public static let byteLimit = 1 << 20

  /// Reads the file; nil if it does not contain the line `MemTotal:`.
  ///
  /// - Complexity: O(bytes).
  public init?(_ text: some Collection<UInt8>) {
    for line in text.split(separator: UInt8(ascii: "\n")) where line.count < 256 {
      let words = String(decoding: line, as: UTF8.self).split(whereSeparator: \.isWhitespace)
      guard words.count == 3, words[0] == "MemTotal:", words[2] == "kB",
        let count = number(words[1]),
        count <= 1 << 42
      else { continue }
      total = count << 10
      return
    }
    return nil
  }
}
