public import SystemPackage

/// Where a new memory file is.
@nonexhaustive
public enum MemoryFilePlace: Hashable, Sendable {
  /// A file of memory without a path: it lives as long as a process has a descriptor of it or maps
  /// it, memfd_create(2). The name, at most 249 bytes, is seen only in /proc.
  ///
  /// It is sealed against shrinking (F_SEAL_SHRINK), so that no owner of a descriptor can take
  /// mapped bytes away, which would end this process with SIGBUS.
  case memfd(name: String, pages: MemfdPageSize = .usual)

  /// A file at a path: on tmpfs, hugetlbfs or a disk. It appears there when it is published.
  ///
  /// A process that may write such a file can also shrink it, which ends every process that touches the
  /// lost bytes with SIGBUS; so only the owner may (mode 0600).
  case path(FilePath)
}

/// The pages that a memfd is made of.
@nonexhaustive
public enum MemfdPageSize: Hashable, Sendable, CaseIterable {
  /// The machine's usual pages.
  case usual
  /// 2 MiB, MFD_HUGE_2MB.
  case huge2MiB
  /// 1 GiB, MFD_HUGE_1GB.
  case huge1GiB

  /// The binary logarithm of the size in bytes; 0 of the usual size.
  var log2ByteCount: UInt32 {
    switch self {
    case .usual: 0
    case .huge2MiB: 21
    case .huge1GiB: 30
    }
  }
}

/// What a memory file is made of, which says what it survives.
@nonexhaustive
public enum MemoryFileStorage: Hashable, Sendable {
  /// Memory without a path; gone with the last descriptor.
  case memfd
  /// Memory with a path; survives its processes, and not the machine's restart.
  case tmpfs
  /// Huge pages of `pageByteCount` bytes, of a memfd or at a path.
  case hugetlbfs(pageByteCount: UInt64)
  /// Anything else: survives a restart as far as it was synchronized.
  case disk

  var isOfHugePages: Bool {
    if case .hugetlbfs = self { true } else { false }
  }
}
