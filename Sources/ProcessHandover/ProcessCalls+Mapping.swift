internal import CProcessHandover
internal import SystemPackage

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

extension ProcessCalls {
  /// What the kernel maps by, in bytes; a power of two.
  static let pageByteCount = UInt64(sysconf(CInt(_SC_PAGESIZE)))

  /// mmap(2): addresses that nothing else will be mapped at, and that cannot be used yet.
  static func reserveAddresses(byteCount: Int) throws(Errno) -> UnsafeMutableRawPointer {
    var base: UnsafeMutableRawPointer?
    try perform(.reserveAddresses) { () -> CInt in
      // SAFETY: no address is asked for, so no existing mapping is replaced.
      unsafe base = mmap(
        nil, byteCount, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
      return UInt(bitPattern: base) == UInt.max ? -errno : 0
    }
    guard let base = unsafe base else { throw .noMemory }
    return unsafe base
  }

  /// mmap(2): the bytes of an open file, shared, at `address`.
  ///
  /// Huge pages are not set aside for it: ``allocate(_:_:)`` takes them.
  @unsafe
  static func map(
    _ descriptor: FileDescriptor, _ bytes: Range<UInt64>, at address: UnsafeMutableRawPointer
  ) throws(Errno) {
    try perform(.mmap) { () -> CInt in
      // SAFETY: the caller has reserved the addresses that are replaced.
      let mapped = unsafe mmap(
        address, bytes.count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_NORESERVE,
        descriptor.rawValue, off_t(clamping: bytes.lowerBound))
      return UInt(bitPattern: mapped) == UInt.max ? -errno : 0
    }
  }

  /// munmap(2) of all that was reserved, and nobody uses any more.
  @unsafe
  static func unmap(_ base: UnsafeMutableRawPointer, byteCount: Int) {
    // SAFETY: the caller gives up the mapping. It is whole, so the call cannot fail.
    _ = try? perform(.munmap) { unsafe munmap(base, byteCount) }
  }

  /// msync(2) with MS_SYNC.
  @unsafe
  static func synchronize(_ address: UnsafeMutableRawPointer, byteCount: Int) throws(Errno) {
    try perform(.msync) {
      // SAFETY: changes nothing in memory; the caller has mapped the pages.
      unsafe msync(address, byteCount, CInt(MS_SYNC)) == 0 ? 0 : -errno
    }
  }
}
