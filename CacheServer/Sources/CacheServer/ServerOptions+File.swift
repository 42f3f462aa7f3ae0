internal import CacheCore
internal import RESP
internal import SystemPackage

// The configuration file: a directive and its value on each line, quoted as requests are; what begins
// with # is a comment.

extension ServerOptions {
  /// Takes what the file at `path` says.
  ///
  /// - Throws: ``OptionError``, with the line that is wrong.
  mutating func read(_ path: FilePath) throws(OptionError) {
    let bytes: [UInt8]
    do { bytes = try SystemCalls.contents(of: path, atMost: Self.fileByteLimit) } catch {
      throw OptionError("\(path): the configuration file cannot be read (\(error))")
    }
    guard bytes.count < Self.fileByteLimit else {
      throw OptionError("\(path): a configuration file has less than \(Self.fileByteLimit) bytes")
    }
    for (index, line) in bytes.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
      do throws(OptionError) {
        guard let (name, value) = try Self.directive(Array(line)) else { continue }
        try StartDirective.set(name, to: value, in: &self)
      } catch {
        throw OptionError("\(path), line \(index + 1): \(error.sentence)")
      }
    }
  }

  static var fileByteLimit: Int { 1 << 20 }

  /// The directive and its value in a line; nil if none exists.
  static func directive(
    _ line: [UInt8]
  ) throws(OptionError) -> (name: String, value: String)? {
    let start = line.first { $0 != 0x20 && $0 != 0x09 }
    guard let start, start != UInt8(ascii: "#"), start != 0x0d else { return nil }
    guard let words = InlineWords.split(line) else {
      throw OptionError("a quote is not closed, or something follows it at once")
    }
    guard let name = words.first?.lowercased() else { return nil }
    guard words.count > 1 else { throw OptionError("\(name) has no value") }
    return (name, words.dropFirst().joined(separator: " "))
  }
}
