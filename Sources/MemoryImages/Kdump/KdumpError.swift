public import Decompression
public import MemoryAccess

/// Why a file is not a compressed dump that can be read.
@nonexhaustive
public enum KdumpError: Error, Equatable, Sendable {
  /// The file ends inside the header.
  case headerTruncated(fileByteCount: UInt64)
  /// The signature is that of diskdump, which kdump has replaced.
  case isDiskdump
  /// The header is that of a 32-bit machine, or of one whose byte order is not little-endian.
  case machineUnsupported
  /// The version of the header, 6 at present, is not known.
  case versionUnsupported(Int32)
  /// The size of a block is not a page size: 4, 16 or 64 KiB.
  case blockSizeUnsupported(byteCount: UInt32)
  /// The pages of a part of a split dump are impossible.
  case isSplit(firstPage: UInt64, endPage: UInt64)
  /// Two parts of a split dump have the same pages, or are not parts of one dump.
  case partsDiffer(firstPage: UInt64)
  /// The bitmaps would end past the end of the file.
  case bitmapsBeyondEndOfFile(fileOffset: UInt64, byteCount: UInt64, fileByteCount: UInt64)
  /// The bitmaps have fewer bits than there are pages.
  case bitmapsTooShort(bitCount: UInt64, pageCount: UInt64)
  /// The pages would run past 2^64.
  case beyondAddressSpace(pageCount: UInt64)
  /// A flattened dump of another type or version than 1.
  case flattenedVersionUnsupported(type: Int64, version: Int64)
  /// A piece of a flattened dump has an impossible place or size.
  case flattenedPieceWrong(fileOffset: UInt64)
  /// A flattened dump is in so many scattered pieces that no list of them is kept.
  case flattenedTooScattered(limit: Int)
  /// A flattened dump holds something else than a compressed dump.
  case flattenedIsNoDump
}

/// Why a page that a compressed dump should hold cannot be had.
public struct KdumpPageError: Error, Hashable, Sendable {
  /// The first byte of the page.
  public let address: PhysicalAddress
  /// What is wrong.
  public let reason: Reason

  /// The page at `address` cannot be had for that reason.
  public init(address: PhysicalAddress, reason: Reason) {
    self.address = address
    self.reason = reason
  }

  /// What can be wrong with a page.
  @nonexhaustive
  public enum Reason: Error, Hashable, Sendable {
    /// The page's descriptor is not in the file, or was never written.
    case descriptorBeyondEndOfFile
    /// The page's data is not in the file.
    case dataBeyondEndOfFile(fileOffset: UInt64, byteCount: UInt32)
    /// The data is not compressed, and yet not as long as a page; or longer than a page.
    case sizeWrong(byteCount: UInt32)
    /// The flags are not known.
    case flagsUnknown(UInt32)
    /// The data is not a stream of that kind that gives a page.
    case notDecompressed(BlockCompression, DecompressionError)
  }
}

/// How pages are compressed: flags of a page and of the whole dump, diskdump_mod.h.
@frozen
public struct KdumpCompression: OptionSet, Hashable, Sendable {
  /// The flags in the file.
  public let rawValue: UInt32

  /// The flags of that value.
  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// zlib.
  @inlinable
  public static var zlib: KdumpCompression { KdumpCompression(rawValue: 1) }
  /// LZO.
  @inlinable
  public static var lzo: KdumpCompression { KdumpCompression(rawValue: 2) }
  /// Snappy.
  @inlinable
  public static var snappy: KdumpCompression { KdumpCompression(rawValue: 4) }
  /// Zstandard.
  @inlinable
  public static var zstd: KdumpCompression { KdumpCompression(rawValue: 0x20) }

  /// How a page is compressed that has these flags; nil where they are not known.
  var blockCompression: BlockCompression? {
    switch self {
    case .zlib: .zlib
    case .lzo: .lzo
    case .snappy: .snappy
    case .zstd: .zstd
    default: nil
    }
  }
}

extension KdumpCompression: CustomStringConvertible {
  /// The names as makedumpfile's manual has them.
  public var description: String {
    let names: [(KdumpCompression, String)] = [
      (.zlib, "zlib"), (.lzo, "LZO"), (.snappy, "snappy"), (.zstd, "zstd"),
    ]
    return names.filter { contains($0.0) }.map(\.1).joined(separator: ", ")
  }
}

extension KdumpPageError.Reason {
  /// Whether the page is missing because the file ends early.
  var isBeyondEndOfFile: Bool {
    switch self {
    case .descriptorBeyondEndOfFile, .dataBeyondEndOfFile: true
    default: false
    }
  }
}
