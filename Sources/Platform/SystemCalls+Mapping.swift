package import SystemPackage

extension SystemCalls {
  /// The unit of mappings, in bytes; a power of two.
  package static let pageByteCount = UInt64(sysconf(CInt(_SC_PAGESIZE)))

  /// mmap(2): addresses that nothing else will be mapped at, and that cannot be used yet.
  package static func reserveAddresses(
    byteCount: Int
  ) throws(Errno) -> UnsafeMutableRawPointer {
    // SAFETY: no address is asked for, so no existing mapping is replaced.
    unsafe try mapAnywhere(
      .reserveAddresses, byteCount, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1)
  }

  /// mmap(2): zeros, private to this process, at an address of the kernel's choice.
  package static func mapZeros(byteCount: Int) throws(Errno) -> UnsafeMutableRawPointer {
    // SAFETY: as above.
    unsafe try mapAnywhere(
      .mmap, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1)
  }

  /// mmap(2): the first bytes of an open file, read-only, at an address of the kernel's choice.
  package static func mapToRead(
    _ descriptor: FileDescriptor, byteCount: Int
  ) throws(Errno) -> UnsafeRawPointer {
    // SAFETY: as above.
    unsafe UnsafeRawPointer(
      try mapAnywhere(
        .mmap, byteCount, PROT_READ, MAP_PRIVATE | MAP_NORESERVE, descriptor.rawValue))
  }

  private static func mapAnywhere(
    _ call: SystemCall, _ byteCount: Int, _ protection: CInt, _ flags: CInt, _ descriptor: CInt
  ) throws(Errno) -> UnsafeMutableRawPointer {
    var base: UnsafeMutableRawPointer?
    try perform(call) { () -> CInt in
      // SAFETY: no address is asked for, so no existing mapping is replaced.
      unsafe base = mmap(nil, byteCount, protection, flags, descriptor, 0)
      return UInt(bitPattern: base) == UInt.max ? -errno : 0
    }
    guard let base = unsafe base else { throw .noMemory }
    return unsafe base
  }

  /// mmap(2): the bytes of an open file, shared, at `address`, to be read only or to be written as well.
  ///
  /// Huge pages are not set aside for it: ``allocate(_:_:)`` takes them.
  @unsafe
  package static func map(
    _ descriptor: FileDescriptor, _ bytes: Range<UInt64>, at address: UnsafeMutableRawPointer,
    isWritable: Bool
  ) throws(Errno) {
    try perform(.mmap) { () -> CInt in
      // SAFETY: the caller has reserved the addresses that are replaced.
      let mapped = unsafe mmap(
        address, bytes.count, isWritable ? PROT_READ | PROT_WRITE : PROT_READ,
        MAP_SHARED | MAP_FIXED | MAP_NORESERVE,
        descriptor.rawValue, off_t(clamping: bytes.lowerBound))
      return UInt(bitPattern: mapped) == UInt.max ? -errno : 0
    }
  }

  /// munmap(2) of a whole mapping, or of all that was reserved, which is not used any more.
  @unsafe
  package static func unmap(_ base: UnsafeMutableRawPointer, byteCount: Int) {
    // SAFETY: the caller gives up the mapping. It is whole, so the call cannot fail.
    _ = try? perform(.munmap) { unsafe munmap(base, byteCount) }
  }

  /// What ``advise(_:byteCount:_:)`` advises.
  package enum MemoryAdvice {
    /// The pages are not needed soon, and the file still holds what they hold: MADV_DONTNEED.
    case notNeeded
    /// Transparent huge pages: MADV_HUGEPAGE.
    case hugePages
  }

  /// madvise(2). A failure is ignored: it changes nothing that can be read.
  @unsafe
  package static func advise(
    _ base: UnsafeMutableRawPointer, byteCount: Int, _ advice: MemoryAdvice
  ) {
    let number = CInt(advice == .notNeeded ? MADV_DONTNEED : MADV_HUGEPAGE)
    _ = try? perform(.madvise) {
      // SAFETY: the caller has mapped the pages, and lost nothing where they are dropped.
      unsafe madvise(base, byteCount, number) == 0 ? 0 : -errno
    }
  }

  /// msync(2) with MS_SYNC.
  @unsafe
  package static func synchronize(
    _ address: UnsafeMutableRawPointer, byteCount: Int
  ) throws(Errno) {
    try perform(.msync) {
      // SAFETY: changes nothing in memory; the caller has mapped the pages.
      unsafe msync(address, byteCount, CInt(MS_SYNC)) == 0 ? 0 : -errno
    }
  }
}
