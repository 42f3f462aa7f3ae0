public import Decompression
public import MemoryAccess
public import SystemPackage

/// Why a file is not a memory image that can be read, or memory could not be had.
///
/// Segments are named by their index in the program header table, as `readelf -l` counts them.
@nonexhaustive
public enum MemoryImageError: Error, Equatable, Sendable {
  // Files, whatever is in them.

  /// open(2) failed.
  case cannotOpen(Errno)
  /// read(2) failed.
  case cannotRead(Errno)
  /// fstat(2) failed.
  case cannotInspect(Errno)
  /// The path points to a directory.
  case isDirectory
  /// The path points to a device, a pipe or a socket.
  case notRegularFile
  /// The file holds no byte.
  case emptyFile
  /// mmap(2) of the file failed.
  case cannotMap(byteCount: UInt64, Errno)

  // Memory without a file.

  /// mmap(2) of anonymous memory failed.
  case cannotAllocate(byteCount: UInt64, Errno)

  // What kind of image it is.

  /// The file is in no format that is known, and no base address was given that would make it raw memory.
  case baseAddressMissing
  /// A base address was given for an ELF file, which carries its own addresses.
  case baseAddressUnexpected
  /// A base address was given for a LiME or AVML dump, which carries its own addresses.
  case rangesCarryAddresses
  /// The file is of a kind that is known and not read.
  case foreign(ForeignFormat)
  /// A raw image of `byteCount` bytes from `base` on would run past 2^64.
  case rawImageBeyondAddressSpace(base: PhysicalAddress, byteCount: UInt64)
  /// Two parts of a raw image are both at `address`, the first that both have.
  case rawPartsOverlap(firstOffset: UInt64, secondOffset: UInt64, address: PhysicalAddress)
  /// A part of a raw image begins behind the end of the file.
  case rawPartBeyondEndOfFile(fileOffset: UInt64, fileByteCount: UInt64)
  /// A base address was given for a compressed dump, which carries its own addresses.
  case dumpCarriesAddresses
  /// The file is a compressed dump, and cannot be read as one.
  case kdump(KdumpError)

  // A file that is compressed as a whole.

  /// The stream gives nothing, or asks for more memory than the decoder provides.
  case cannotDecompress(StreamCompression, DecompressionError)
  /// The file system has no room for more than `storedByteCount` bytes of the output.
  case decompressedTooLarge(storedByteCount: UInt64)
  /// No temporary file can be made.
  case cannotCreateTemporary(Errno)
  /// The temporary file cannot be written.
  case cannotWriteTemporary(Errno)

  // LiME and AVML.

  /// What is at `fileOffset` is not the header of a range of memory.
  case rangeHeaderWrong(fileOffset: UInt64)
  /// What is at `fileOffset` is not a chunk of compressed memory.
  case chunkWrong(fileOffset: UInt64, DecompressionError)
  /// Two ranges describe the memory at `address`.
  case rangesOverlap(address: PhysicalAddress)
  /// The file has more ranges than any machine.
  case tooManyRanges(limit: Int)

  // The header of an ELF file: elf(5), `Elf64_Ehdr`.

  /// The file does not begin with `\x7fELF`.
  case elfMagicMissing
  /// EI_CLASS is not 2, 64-bit.
  case elfClassUnsupported(UInt8)
  /// EI_DATA is not 1, little-endian.
  case elfByteOrderUnsupported(UInt8)
  /// The file is shorter than the header's 64 bytes.
  case elfHeaderTruncated(fileByteCount: UInt64)
  /// e_phentsize is not the 56 bytes of `Elf64_Phdr`.
  case elfProgramHeaderSizeUnsupported(byteCount: UInt16)
  /// `count` program headers from `fileOffset` on would end past the end of the file.
  case elfProgramHeadersBeyondEndOfFile(fileOffset: UInt64, count: UInt32, fileByteCount: UInt64)
  /// e_phnum is PN_XNUM, and the section header at `fileOffset`, which holds the number of program
  /// headers, is missing or ends past the end of the file.
  case elfSectionHeaderBeyondEndOfFile(fileOffset: UInt64, fileByteCount: UInt64)
  /// No program header describes memory: it has no PT_LOAD, or none with a size and an address.
  case elfNoLoadSegments

  // A segment: elf(5), `Elf64_Phdr`.

  /// The segment's stored bytes would end past the end of the file.
  case elfSegmentBeyondEndOfFile(
    segment: Int, fileOffset: UInt64, storedByteCount: UInt64, fileByteCount: UInt64)
  /// p_filesz is larger than p_memsz.
  case elfSegmentStoresMoreThanItHolds(
    segment: Int, storedByteCount: UInt64, memoryByteCount: UInt64)
  /// The segment would run past 2^64.
  case elfSegmentBeyondAddressSpace(
    segment: Int, address: PhysicalAddress, memoryByteCount: UInt64)
  /// Two segments describe the memory at `address`, the first that both hold.
  case elfSegmentsOverlapInMemory(first: Int, second: Int, address: PhysicalAddress)
  /// Two segments store their bytes at `fileOffset`, the first that both use.
  case elfSegmentsOverlapInFile(first: Int, second: Int, fileOffset: UInt64)
}
