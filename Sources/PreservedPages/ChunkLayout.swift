import MemoryAccess

/// Where the fields of a `kho-v1` chunk are in its page.
///
///     0        8      12     16
///     │ next   │order │count │ {start, bitmap} × count
///
/// Source: `FormatChunkList.md`.
enum ChunkLayout {
  static let nextOffset = 0
  static let orderOffset = 8
  static let countOffset = 12
  static let elementsOffset = 16
  static let elementByteCount = 16

  static func elementOffset(_ index: Int) -> Int { elementsOffset &+ index &* elementByteCount }

  /// How many elements fit in a chunk.
  static func capacity(in geometry: PageGeometry) -> Int {
    (geometry.pageByteCount &- elementsOffset) / elementByteCount
  }
}

/// How large the bitmaps of a `kho-v1` chunk list are, which its version does not determine.
///
/// Source: `FormatChunkList.md`.
public enum ChunkBitmapSize: Hashable, Sendable {
  /// Deduce it: small where a bitmap or a start is not aligned as a page-sized one must be, else a
  /// page, with a note that it was assumed.
  case deduced
  /// A page, as Linux 6.18 and 6.19 write.
  case page
  /// 512 bytes, as Linux 6.16 and 6.17 write.
  case bytes512

  /// The length of the small kind, in bytes.
  static var smallByteCount: Int { 512 }
}
