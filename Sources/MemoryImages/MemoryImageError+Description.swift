internal import Decompression
internal import MemoryAccess
internal import SystemPackage

extension MemoryImageError: CustomStringConvertible {
  /// One sentence: what was found where, and what to do about it.
  public var description: String {
    switch self {
    case .cannotOpen(let errno):
      "The file cannot be opened (\(errno)); check the path and the permissions."
    case .cannotRead(let error):
      "The file cannot be read (\(error)); check the path and the permissions."
    case .cannotInspect(let errno):
      "The file's size cannot be read (\(errno)); copy it to a local disk and try again."
    case .isDirectory:
      "The path is a directory; name the image file in it."
    case .notRegularFile:
      "The path is a device, a pipe or a socket; copy what it gives into a file first."
    case .emptyFile:
      "The file is empty; take the image again."
    case .cannotMap(let byteCount, let errno):
      "The file's \(byteCount) bytes cannot be mapped (\(errno)); copy it to a local disk, and"
        + " check the limit on address space (ulimit -v)."
    case .cannotAllocate(let byteCount, let errno):
      "\(byteCount) bytes of memory cannot be had (\(errno)); ask for less, and check the limit on"
        + " address space (ulimit -v)."
    case .baseAddressMissing:
      "The file is in no format of memory images that is known; if it is raw memory, give the physical"
        + " address of its first byte."
    case .baseAddressUnexpected:
      "The file is an ELF, which carries its own addresses; leave out the base address."
    case .rawImageBeyondAddressSpace(let base, let byteCount):
      "The file's \(byteCount) bytes from address \(base) on would run past 2^64; give a lower base"
        + " address."
    case .dumpCarriesAddresses:
      "The file is a compressed dump, which carries its own addresses; leave out the base address."
    case .rangesCarryAddresses:
      "The file is a LiME or AVML dump, which carries its own addresses; leave out the base address."
    case .kdump(let error):
      error.description
    case .foreign(let format):
      "The file is \(format.name); \(format.remedy)."
    default:
      formatDescription
    }
  }

  private var formatDescription: String {
    switch self {
    case .rawPartsOverlap(let first, let second, let address):
      "The parts of the file from offsets 0x\(String(first, radix: 16)) and"
        + " 0x\(String(second, radix: 16)) on are both at \(address) of memory; give them other base"
        + " addresses."
    case .rawPartBeyondEndOfFile(let offset, let fileByteCount):
      "A part of the file is to begin at offset \(offset), and the file ends after \(fileByteCount)"
        + " bytes; give an offset inside the file."
    case .cannotDecompress(let compression, let error):
      "The file is a \(compression) stream that cannot be decompressed here (\(error)); try"
        + " \(compression.command), and name what comes out."
    case .decompressedTooLarge(let byteCount):
      "The file is compressed, and after \(byteCount) bytes /var/tmp has no room for more of its"
        + " content; decompress it on a disk with enough room, and name the result."
    case .cannotCreateTemporary(let errno):
      "The file is compressed, and no temporary file can be made in /var/tmp (\(errno)); decompress it,"
        + " and name what comes out."
    case .cannotWriteTemporary(let errno):
      "The file is compressed, and the temporary file for its content cannot be written (\(errno));"
        + " decompress it on a disk with enough room, and name the result."
    case .rangeHeaderWrong(let offset):
      "What is at file offset \(offset) is not the header of a LiME or AVML range; the file is damaged,"
        + " copy it again."
    case .chunkWrong(let offset, let error):
      "What is at file offset \(offset) is not a snappy chunk of an AVML dump (\(error)); the file is"
        + " damaged, copy it again."
    case .rangesOverlap(let address):
      "Two ranges of the AVML dump both describe the memory at \(address); the file is damaged, take the"
        + " dump again."
    case .tooManyRanges(let limit):
      "The dump has more than \(limit) ranges of memory; the file is damaged, take the dump again."
    default:
      elfDescription
    }
  }

  private var elfDescription: String {
    switch self {
    case .elfMagicMissing:
      "The file does not begin with the ELF magic; name an ELF core file."
    case .elfClassUnsupported(let value):
      "Byte 4 of the ELF header is \(value), not 2 (64-bit): the file is of a 32-bit machine, which has no"
        + " handover; name a dump of a 64-bit machine."
    case .elfByteOrderUnsupported(let value):
      "Byte 5 of the ELF header is \(value), not 1 (little-endian): the file is of a big-endian machine,"
        + " which has no handover; name a dump of a little-endian machine."
    case .elfHeaderTruncated(let fileByteCount):
      "The file ends after \(fileByteCount) bytes, inside the 64 bytes of the ELF header; copy it"
        + " again, whole."
    case .elfProgramHeaderSizeUnsupported(let byteCount):
      "The ELF header gives program headers of \(byteCount) bytes instead of 56; the file is damaged"
        + " or no ELF core file."
    case .elfProgramHeadersBeyondEndOfFile(let offset, let count, let fileByteCount):
      "\(count) program headers from file offset \(offset) on would end past the end of the file at"
        + " \(fileByteCount); copy the file again, whole."
    case .elfSectionHeaderBeyondEndOfFile(let offset, let fileByteCount):
      "The number of program headers is kept in the section header at file offset \(offset), which"
        + " is not inside the file of \(fileByteCount) bytes; copy the file again, whole."
    case .elfNoLoadSegments:
      "No PT_LOAD segments with a physical address: the ELF file describes no memory; name an ELF"
        + " core file of a machine."
    default:
      segmentDescription
    }
  }

  private var segmentDescription: String {
    switch self {
    case .elfSegmentBeyondEndOfFile(let segment, let offset, let storedByteCount, let fileByteCount):
      "Segment \(segment) stores \(storedByteCount) bytes from file offset \(offset) on, past the"
        + " end of the file at \(fileByteCount); copy the file again, whole."
    case .elfSegmentStoresMoreThanItHolds(let segment, let storedByteCount, let memoryByteCount):
      "Segment \(segment) stores \(storedByteCount) bytes for \(memoryByteCount) bytes of memory; the"
        + " file is damaged, take the image again."
    case .elfSegmentBeyondAddressSpace(let segment, let address, let memoryByteCount):
      "Segment \(segment) describes \(memoryByteCount) bytes from address \(address) on, past 2^64;"
        + " the file is damaged, take the image again."
    case .elfSegmentsOverlapInMemory(let first, let second, let address):
      "Segments \(first) and \(second) both describe the memory at \(address), so it is not known"
        + " which one holds; take an image that has each page once."
    case .elfSegmentsOverlapInFile(let first, let second, let offset):
      "Segments \(first) and \(second) both store their bytes at file offset \(offset); the file is"
        + " damaged, take the image again."
    default:
      "The memory image cannot be read."
    }
  }
}
