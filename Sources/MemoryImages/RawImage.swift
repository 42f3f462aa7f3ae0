public import MemoryAccess
public import SystemPackage

/// A file whose bytes are memory, from one base address on: what `memsave`, a `dd` of a DAX device
/// or a process's memory file leave behind.
///
/// The file must not shrink while the value, or a copy of it, is used.
public struct RawImage: PhysicalMemory, Sendable {
  /// The physical addresses of the file's bytes.
  public let range: PhysicalRange

  @usableFromInline
  let file: MappedFile

  /// Opens the file at `path` as the memory from `base` on.
  ///
  /// - Throws: `cannotOpen`, `cannotInspect`, `isDirectory`, `notRegularFile`, `emptyFile`,
  ///   `cannotMap` when the file cannot be mapped; `rawImageBeyondAddressSpace` when it does not fit
  ///   below 2^64.
  /// - Complexity: O(1); nothing is read.
  public init(opening path: FilePath, base: PhysicalAddress) throws(MemoryImageError) {
    try self.init(MappedFile(opening: path), base: base)
  }

  init(_ file: MappedFile, base: PhysicalAddress) throws(MemoryImageError) {
    guard let range = PhysicalRange(checkedStart: base, byteCount: file.byteCount) else {
      throw .rawImageBeyondAddressSpace(base: base, byteCount: file.byteCount)
    }
    self.range = range
    self.file = file
  }

  /// The size of the file in bytes, holes included.
  @inlinable
  public var byteCount: UInt64 { range.byteCount }

  /// Whether every byte of `other` is in the file.
  @inlinable
  public func contains(_ other: PhysicalRange) -> Bool { range.contains(other) }

  /// Calls `body` with the bytes of `wanted`, or gives nil when one of them is not in the file.
  ///
  /// The bytes of a hole are zeros.
  ///
  /// - Complexity: O(1); nothing is copied.
  @inlinable
  public func withBytes<Result: ~Copyable, Failure: Error>(
    in wanted: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard range.contains(wanted) else { return nil }
    let offset = wanted.isEmpty ? 0 : wanted.start.rawValue &- range.start.rawValue
    return try file.withBytes(at: offset, count: wanted.byteCount, body)
  }

  /// The first run of bytes at or after `address` that are no hole of the file, cut to start no
  /// earlier; nil when there is none.
  ///
  /// - Complexity: at most two system calls.
  public func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    guard let last = range.last, address <= last else { return nil }
    let from = max(address, range.start)
    guard let found = file.storedBytes(atOrAfter: from.rawValue &- range.start.rawValue) else {
      return nil
    }
    return PhysicalRange(
      start: range.start.advanced(byBytes: found.lowerBound),
      byteCount: found.upperBound &- found.lowerBound)
  }

  /// Lets the kernel take back the pages that `wanted` was read from.
  ///
  /// - Complexity: one system call.
  public func finishedReading(_ wanted: PhysicalRange) {
    guard let wanted = range.intersection(wanted) else { return }
    let offset = wanted.start.rawValue &- range.start.rawValue
    file.finishedReading(offset..<offset &+ wanted.byteCount)
  }
}
