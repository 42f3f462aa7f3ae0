internal import Platform
internal import SystemPackage

extension MemoryFileStorage {
  /// What an open file is made of, by the type of its file system, linux/magic.h.
  init(of descriptor: FileDescriptor) throws(MemoryFileError) {
    let found: (type: UInt64, blockByteCount: UInt64)
    do throws(Errno) {
      found = try SystemCalls.fileSystem(of: descriptor)
    } catch {
      throw .cannotInspect(error)
    }
    switch found.type {
    case 0x0102_1994:
      // A memfd is on a tmpfs of the kernel's own, and shows its kind only in its name.
      let target = try? SystemCalls.target(ofLink: descriptor.pathInProc)
      self = target?.string.hasPrefix("/memfd:") == true ? .memfd : .tmpfs
    case 0x9584_58f6 where found.blockByteCount.nonzeroBitCount == 1:
      self = .hugetlbfs(pageByteCount: found.blockByteCount)
    default: self = .disk
    }
  }

  /// The unit of the file's size and mapping, in bytes; a power of two.
  var pageByteCount: UInt64 {
    if case .hugetlbfs(let byteCount) = self { byteCount } else { SystemCalls.pageByteCount }
  }
}
