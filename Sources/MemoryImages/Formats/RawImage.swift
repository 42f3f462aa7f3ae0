public import MemoryAccess
public import SystemPackage

/// A file whose bytes are memory, without a header: what `memsave`, a `dd` of a DAX device, the memory
/// file of a virtual machine or of a process are.
///
/// A virtual machine's file has no hole where its memory has one: the file's parts are then at bases of
/// their own.
///
/// ```
///  file    ┌─────────────┬────────┐
///          │ 0 … 3 GiB   │        │
///  memory  ┌─────────────┐········┌────────┐
///          0           3 GiB    4 GiB
/// ```
///
/// The file must not shrink while the value, or a copy of it, is used.
public struct RawImage: SegmentedImage, Sendable {
  /// The memory.
  public let memory: FileSegments

  /// Opens the file at `path` as the memory from `base` on.
  ///
  /// - Throws: `cannotOpen`, `cannotInspect`, `isDirectory`, `notRegularFile`, `emptyFile`,
  ///   `cannotMap` when the file cannot be mapped; `rawImageBeyondAddressSpace` when it does not fit
  ///   below 2^64.
  /// - Complexity: O(1); nothing is read.
  public init(opening path: FilePath, base: PhysicalAddress) throws(MemoryImageError) {
    try self.init(MappedFile(opening: path), RawLayout(base: base))
  }

  /// Opens the file at `path` as the memory that `layout` describes.
  ///
  /// - Throws: as ``init(opening:base:)``; `rawPartsOverlap` where two parts are at the same address;
  ///   `rawPartBeyondEndOfFile` where a part begins behind the end of the file.
  /// - Complexity: O(*n* log *n*) for *n* parts; nothing is read.
  public init(opening path: FilePath, _ layout: RawLayout) throws(MemoryImageError) {
    try self.init(MappedFile(opening: path), layout)
  }

  init(_ file: MappedFile, _ layout: RawLayout) throws(MemoryImageError) {
    let parts = layout.parts
    var segments: [FileSegment] = []
    for (index, part) in parts.enumerated() {
      guard part.fileOffset < file.byteCount else {
        // The hole of a machine whose memory ends below it.
        if layout.isPreset { continue }
        throw .rawPartBeyondEndOfFile(
          fileOffset: part.fileOffset, fileByteCount: file.byteCount)
      }
      let end =
        index &+ 1 < parts.count
        ? min(parts[index &+ 1].fileOffset, file.byteCount) : file.byteCount
      let byteCount = end &- part.fileOffset
      guard byteCount > 0 else { continue }
      guard let range = PhysicalRange(checkedStart: part.address, byteCount: byteCount) else {
        throw .rawImageBeyondAddressSpace(base: part.address, byteCount: byteCount)
      }
      segments.append(
        FileSegment(
          index: index, range: range, storedByteCount: byteCount, fileOffset: part.fileOffset))
    }
    let sorted = segments.sorted { $0.range.start < $1.range.start }
    for (lower, upper) in zip(sorted, sorted.dropFirst()) where lower.range.overlaps(upper.range) {
      throw .rawPartsOverlap(
        firstOffset: lower.fileOffset, secondOffset: upper.fileOffset, address: upper.range.start)
    }
    memory = try FileSegments(segments, of: file)
  }

  /// The physical addresses of the file's first part.
  public var range: PhysicalRange { memory.segments[0].range }

  /// Whether the file's memory is in one piece.
  public var isContiguous: Bool { memory.segments.count == 1 }
}
