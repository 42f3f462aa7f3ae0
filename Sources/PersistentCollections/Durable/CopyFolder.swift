import MemoryAccess
internal import Platform
import ProcessHandover
import SystemPackage

/// The files of ``DurableCopies``.
struct CopyFolder: ~Copyable {
  private let records: OwnedDescriptor
  private let even: OwnedDescriptor
  private let odd: OwnedDescriptor

  private static let recordsName = "commits"
  private static let copyNames = ["copy-0", "copy-1"]
  private static let pageByteCount = 4096

  private init(
    records: consuming OwnedDescriptor, even: consuming OwnedDescriptor,
    odd: consuming OwnedDescriptor
  ) {
    self.records = records
    self.even = even
    self.odd = odd
  }

  /// Opens the folder at `path`, and makes it and its files if they are missing.
  ///
  /// - Throws: `inUse`, `system`.
  static func making(at path: FilePath) throws(DurableCopiesError) -> CopyFolder {
    do throws(Errno) {
      if !SystemCalls.exists(path) {
        try SystemCalls.makeFolder(path)
        try synchronize(folder: path.folder)
      }
      let folder = CopyFolder(
        records: try opened(path.appending(recordsName)),
        even: try opened(path.appending(copyNames[0])),
        odd: try opened(path.appending(copyNames[1])))
      try synchronize(folder: path)
      try folder.lock()
      return folder
    } catch {
      throw error == .wouldBlock ? .inUse : .system(error)
    }
  }

  /// Opens a folder that has copies.
  ///
  /// - Throws: `noCopy` if a file of the folder is missing, `inUse`, `system`.
  static func existing(at path: FilePath) throws(DurableCopiesError) -> CopyFolder {
    func opened(_ name: String) throws(Errno) -> OwnedDescriptor {
      OwnedDescriptor(
        try SystemCalls.open(path.appending(name), .readOnly, options: .noFollow))
    }
    do throws(Errno) {
      let folder = CopyFolder(
        records: try opened(recordsName), even: try opened(copyNames[0]),
        odd: try opened(copyNames[1]))
      try folder.lock()
      return folder
    } catch {
      switch error {
      case .noSuchFileOrDirectory: throw .noCopy
      case .wouldBlock: throw .inUse
      default: throw .system(error)
      }
    }
  }

  private borrowing func lock() throws(Errno) {
    try SystemCalls.lockExclusively(records.descriptor)
  }

  private static func opened(_ path: FilePath) throws(Errno) -> OwnedDescriptor {
    do throws(Errno) {
      return OwnedDescriptor(try SystemCalls.open(path, .readWrite, options: .noFollow))
    } catch {
      guard error == .noSuchFileOrDirectory else { throw error }
    }
    return OwnedDescriptor(try SystemCalls.create(path, .readWrite))
  }

  /// Waits until the disk has the names in a folder.
  private static func synchronize(folder path: FilePath) throws(Errno) {
    let folder = OwnedDescriptor(
      try SystemCalls.open(path.isEmpty ? "." : path, .readOnly, options: .directory))
    try SystemCalls.synchronize(folder.descriptor)
  }

  private func copy(of sequence: UInt64) -> FileDescriptor {
    sequence & 1 == 0 ? even.descriptor : odd.descriptor
  }

  // MARK: Records

  /// The record of the newest commit; nil if no commit has ended.
  ///
  /// - Throws: `unknownLayout`, `system`.
  borrowing func newestRecord() throws(DurableCopiesError) -> DurableRecord? {
    var newest: DurableRecord?
    for index in 0..<2 as Range<UInt64> {
      let bytes: [UInt8]
      do throws(Errno) {
        bytes = try SystemCalls.read(
          records.descriptor, at: index * DurableRecord.distance,
          atMost: DurableRecord.byteCount)
      } catch {
        throw .system(error)
      }
      guard let record = try DurableRecord(bytes), record.sequence & 1 == index else { continue }
      if record.sequence > newest?.sequence ?? 0 { newest = record }
    }
    return newest
  }

  /// Waits until the copy is on the disk, and makes it the one that counts.
  borrowing func end(_ record: DurableRecord) throws(Errno) {
    try SystemCalls.synchronize(copy(of: record.sequence))
    try SystemCalls.write(
      record.bytes[...], to: records.descriptor,
      at: (record.sequence & 1) * DurableRecord.distance)
    try SystemCalls.synchronize(records.descriptor)
  }

  // MARK: Copies

  /// Makes the copy of the commit `sequence` equal to `file`; it is not on the disk yet.
  ///
  /// - Returns: how many bytes were written.
  borrowing func update(
    copyOf sequence: UInt64, from file: MemoryFile
  ) throws(Errno) -> UInt64 {
    let copy = copy(of: sequence)
    let copyByteCount = try SystemCalls.status(of: copy).byteCount
    if copyByteCount != file.byteCount { try SystemCalls.resize(copy, to: file.byteCount) }
    var writtenByteCount: UInt64 = 0
    try file.forEachStoredChunk { (offset, bytes) throws(Errno) in
      let old = try SystemCalls.read(copy, at: offset, atMost: bytes.byteCount)
      writtenByteCount &+= try Self.writeDifferences(from: old, to: bytes, at: offset, of: copy)
    }
    return writtenByteCount
  }

  /// Writes the pages of `bytes` that differ from those in `old` to byte `offset` of the copy and on.
  ///
  /// - Returns: how many bytes were written.
  private static func writeDifferences(
    from old: [UInt8], to bytes: RawSpan, at offset: UInt64, of copy: FileDescriptor
  ) throws(Errno) -> UInt64 {
    var writtenByteCount: UInt64 = 0
    var index = 0
    while index < bytes.byteCount {
      var end = index
      while end < bytes.byteCount, !isSamePage(at: end, in: bytes, and: old) {
        end = min(end + pageByteCount, bytes.byteCount)
      }
      if end > index {
        try SystemCalls.write(
          bytes.extracting(index..<end), to: copy, at: offset &+ UInt64(index))
        writtenByteCount &+= UInt64(end - index)
      }
      index = end + pageByteCount
    }
    return writtenByteCount
  }

  /// Whether the page at byte `index` is the same in both.
  private static func isSamePage(at index: Int, in bytes: RawSpan, and old: [UInt8]) -> Bool {
    let end = min(index + pageByteCount, bytes.byteCount)
    guard end <= old.count else { return false }
    return old.withRawSpan { isEqual(bytes.extracting(index..<end), $0.extracting(index..<end)) }
  }

  /// Copies the copy of `record` to a new file at `path`.
  borrowing func restore(_ record: DurableRecord, to path: FilePath) throws(Errno) {
    guard !SystemCalls.exists(path) else { throw .fileExists }
    let copy = copy(of: record.sequence)
    let target = OwnedDescriptor(
      try SystemCalls.openUnnamed(in: path.folder))
    try SystemCalls.resize(target.descriptor, to: record.byteCount)
    var next: UInt64 = 0
    while next < record.byteCount {
      let bytes = try SystemCalls.read(
        copy, at: next,
        atMost: Int(min(record.byteCount &- next, MemoryFile.chunkByteCount)))
      // A copy that is shorter than its record was changed by another program.
      guard !bytes.isEmpty else { throw .ioError }
      // A piece of zeros stays a hole.
      if bytes.contains(where: { $0 != 0 }) {
        try SystemCalls.write(bytes[...], to: target.descriptor, at: next)
      }
      next &+= UInt64(bytes.count)
    }
    try SystemCalls.synchronize(target.descriptor)
    try SystemCalls.link(target.descriptor, to: path)
  }
}
