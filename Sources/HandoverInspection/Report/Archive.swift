import MemoryAccess
package import Platform
import SystemPackage

/// Some files in one place: a tar file, or a folder. All are readable by their owner alone.
///
/// A tar file appears under its name when it is complete. In a folder, each file does; where one cannot be
/// written, those written before are removed, and so is a folder that was made for them.
package struct Archive: ~Copyable {
  private let path: String
  private let rules: OutputRules
  private var tar: OutputFile?
  private var written: [FilePath] = []
  private var madeFolder = false
  private var isFinished = false
  /// The number of files, and their bytes.
  package private(set) var fileCount = 0
  package private(set) var byteCount: UInt64 = 0

  /// Opens the place.
  ///
  /// - Parameter isTar: whether it is a tar file, whatever the name says; otherwise a name that ends in
  ///   `.tar`, and one of something that is not a folder, are.
  package init(at path: String, isTar: Bool, _ rules: OutputRules) throws(ArchiveError) {
    self.path = path
    self.rules = rules
    let status = try? SystemCalls.status(at: FilePath(path), followsLinks: false)
    let isElsewhere = path.hasPrefix("/dev/") || path.hasPrefix("/proc/")
    if isTar || path.hasSuffix(".tar") || isElsewhere
      || (status.map { $0.kind != .directory } ?? false)
    {
      tar = try Self.opened(path, rules)
      return
    }
    guard status == nil else {
      let names = (try? SystemCalls.names(in: FilePath(path))) ?? []
      guard rules.replaces || names.allSatisfy({ [".", ".."].contains($0) }) else {
        throw ArchiveError(
          "\(printable(path: path)): the folder is not empty; --force replaces files in it, and leaves others"
        )
      }
      return
    }
    do throws(Errno) {
      try SystemCalls.makeFolder(FilePath(path))
      madeFolder = true
    } catch {
      let reason = OutputFileError.cannotCreate(error).description
      throw ArchiveError("\(printable(path: path)): \(reason)")
    }
  }

  private static func opened(
    _ path: String, _ rules: OutputRules
  ) throws(ArchiveError) -> OutputFile {
    do throws(OutputFileError) { return try OutputFile(at: path, rules) } catch {
      throw ArchiveError("\(printable(path: path)): \(error.description)")
    }
  }

  /// Adds a file.
  package mutating func add(_ name: String, _ bytes: [UInt8]) throws(ArchiveError) {
    try add(name, UInt64(bytes.count)) { (file) throws(ArchiveError) in
      do throws(OutputFileError) { try file.write(bytes) } catch {
        throw ArchiveError("\(name): \(error.description)")
      }
    }
  }

  /// Adds a file of `byteCount` bytes, which `body` writes.
  package mutating func add(
    _ name: String, _ byteCount: UInt64,
    _ body: (inout OutputFile) throws(ArchiveError) -> Void
  ) throws(ArchiveError) {
    fileCount += 1
    self.byteCount += byteCount
    if tar != nil {
      try write(TarHeader(name, byteCount).bytes)
      try body(&tar!)
      let rest = Int(byteCount % 512)
      if rest > 0 { try write([UInt8](repeating: 0, count: 512 - rest)) }
      return
    }
    let place = FilePath(path).appending(name)
    var file = try Self.opened(place.string, rules)
    try body(&file)
    do throws(OutputFileError) { try file.finish() } catch {
      throw ArchiveError("\(printable(path: place.string)): \(error.description)")
    }
    written.append(place)
  }

  private mutating func write(_ bytes: [UInt8]) throws(ArchiveError) {
    do throws(OutputFileError) { try tar!.write(bytes) } catch {
      throw ArchiveError("\(printable(path: path)): \(error.description)")
    }
  }

  /// Ends the archive.
  package consuming func finish() throws(ArchiveError) {
    if tar != nil {
      // Two blocks of zeros end a tar file.
      try write([UInt8](repeating: 0, count: 1024))
      let file = tar.take()!
      do throws(OutputFileError) { try file.finish() } catch {
        throw ArchiveError("\(printable(path: path)): \(error.description)")
      }
    }
    isFinished = true
  }

  deinit {
    guard !isFinished else { return }
    for place in written { try? SystemCalls.unlink(place) }
    if madeFolder { try? SystemCalls.removeFolder(FilePath(path)) }
  }
}

/// The header of a file in a tar archive: POSIX 1003.1, ustar.
struct TarHeader {
  let bytes: [UInt8]

  /// - Precondition: the name has at most 99 bytes.
  init(_ name: String, _ byteCount: UInt64) {
    var bytes = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at offset: Int) {
      bytes.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
    }
    func octal(_ value: UInt64, _ width: Int) -> String {
      let digits = String(value, radix: 8)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    precondition(name.utf8.count < 100, "a long name of a file in an archive")
    put(name, at: 0)
    put("0000600", at: 100)
    put("0000000", at: 108)
    put("0000000", at: 116)
    if byteCount < 1 << 33 {
      put(octal(byteCount, 11), at: 124)
    } else {
      // As GNU tar and POSIX's readers take it: big-endian, with the highest bit set.
      bytes[124] = 0x80
      for index in 0..<8 {
        bytes[135 - index] = UInt8(truncatingIfNeeded: byteCount >> (8 * UInt64(index)))
      }
    }
    put("00000000000", at: 136)
    put("        ", at: 148)
    put("0", at: 156)
    put("ustar", at: 257)
    put("00", at: 263)
    let sum = bytes.reduce(0) { $0 + UInt64($1) }
    put(octal(sum, 6), at: 148)
    bytes[154] = 0
    self.bytes = bytes
  }
}

/// Why an archive cannot be written.
package struct ArchiveError: Error {
  /// Which file, and why.
  package let sentence: String

  package init(_ sentence: String) { self.sentence = sentence }
}
