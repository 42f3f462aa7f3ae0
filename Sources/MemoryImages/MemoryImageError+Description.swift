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
      "The file is no ELF, so it is taken as raw memory, which does not say where it was; give the"
        + " physical address of its first byte."
    case .baseAddressUnexpected:
      "The file is an ELF, which carries its own addresses; leave out the base address."
    case .rawImageBeyondAddressSpace(let base, let byteCount):
      "The file's \(byteCount) bytes from address \(base) on would run past 2^64; give a lower base"
        + " address."
    case .dumpCarriesAddresses:
      "The file is a compressed dump, which carries its own addresses; leave out the base address."
    case .kdump(let error):
      error.description
    default:
      elfDescription
    }
  }

  private var elfDescription: String {
    switch self {
    case .elfMagicMissing:
      "The file does not begin with the ELF magic; name an ELF core file."
    case .elfClassUnsupported(let value):
      "Byte 4 of the ELF header is \(value), not 2 (64-bit); only 64-bit images can be read."
    case .elfByteOrderUnsupported(let value):
      "Byte 5 of the ELF header is \(value), not 1 (little-endian); only little-endian images can"
        + " be read."
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
