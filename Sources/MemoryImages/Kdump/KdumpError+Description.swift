internal import Decompression
internal import MemoryAccess

extension KdumpError: CustomStringConvertible {
  /// One sentence: what was found where, and what to do about it.
  public var description: String {
    switch self {
    case .headerTruncated(let fileByteCount):
      "The file of \(fileByteCount) bytes ends inside the header of the compressed dump; copy it"
        + " again, whole."
    case .isDiskdump:
      "The file is a diskdump, of which kdump is the successor, and cannot be read; convert it with"
        + " the tools of its time."
    case .machineUnsupported:
      "The compressed dump is of a 32-bit or big-endian machine; only 64-bit little-endian machines"
        + " can be read."
    case .versionUnsupported(let version):
      "The compressed dump's header is of version \(version), and known are 0 to"
        + " \(KdumpHeader.newestVersion); take an ELF dump (makedumpfile -E)."
    case .blockSizeUnsupported(let byteCount):
      "The compressed dump's blocks of \(byteCount) bytes are not pages of 4, 16 or 64 KiB; the file"
        + " is damaged, take the dump again."
    case .isSplit(let first, let end):
      "The file is marked as the part of a split dump with pages \(first) up to \(end), which cannot"
        + " be; the file is damaged, copy it again."
    case .partsDiffer(let first):
      "The part of a split dump with the pages from \(first) on does not fit the others; name each part of"
        + " one dump once."
    case .bitmapsBeyondEndOfFile(let offset, let byteCount, let fileByteCount):
      "The compressed dump's bitmaps, \(byteCount) bytes from file offset \(offset) on, would end"
        + " past the end of the file at \(fileByteCount); copy the file again, whole."
    case .bitmapsTooShort(let bitCount, let pageCount):
      "The compressed dump's bitmaps have \(bitCount) bits for \(pageCount) pages; the file is"
        + " damaged, take the dump again."
    case .beyondAddressSpace(let pageCount):
      "The compressed dump's \(pageCount) pages would run past 2^64; the file is damaged, take the"
        + " dump again."
    default:
      flattenedDescription
    }
  }

  private var flattenedDescription: String {
    switch self {
    case .flattenedVersionUnsupported(let type, let version):
      "The flattened dump is of type \(type), version \(version), and known are 1 and 1; rearrange it"
        + " (makedumpfile -R)."
    case .flattenedPieceWrong(let offset):
      "The flattened dump's piece at file offset \(offset) has an impossible place or size; the file"
        + " is damaged, copy it again."
    case .flattenedTooScattered(let limit):
      "The flattened dump is in more than \(limit) pieces that do not continue each other; rearrange"
        + " it (makedumpfile -R)."
    case .flattenedIsNoDump:
      "The flattened dump holds no compressed dump; rearrange it (makedumpfile -R) and open what"
        + " comes out."
    default:
      "The compressed dump cannot be read."
    }
  }
}

extension KdumpPageError: CustomStringConvertible {
  /// One sentence: which page cannot be had, and why.
  public var description: String { "The page at \(address) cannot be had: \(reason)." }
}

extension KdumpPageError.Reason: CustomStringConvertible {
  /// Why, as it follows a colon.
  public var description: String {
    switch self {
    case .descriptorBeyondEndOfFile:
      "its descriptor is behind the end of the file, or was never written"
    case .dataBeyondEndOfFile(let offset, let byteCount):
      "its \(byteCount) bytes at file offset \(offset) are behind the end of the file"
    case .sizeWrong(let byteCount):
      "its \(byteCount) bytes are not what a page takes"
    case .flagsUnknown(let flags):
      "its flags 0x\(String(flags, radix: 16)) are not known"
    case .notDecompressed(let compression, let error):
      "it is not a \(compression) stream of a page: \(error)"
    }
  }
}
