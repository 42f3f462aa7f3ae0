package import SystemPackage

extension SystemCalls {
  /// fstatvfs(3): how many bytes the file system of the file has left for this user.
  package static func freeByteCount(of descriptor: FileDescriptor) throws(Errno) -> UInt64 {
    var status = statvfs()
    try perform(.fstatfs) {
      // SAFETY: `status` is a whole `struct statvfs` and outlives the call.
      unsafe fstatvfs(descriptor.rawValue, &status) == 0 ? 0 : -errno
    }
    let (byteCount, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(
      by: UInt64(status.f_frsize))
    return overflow ? .max : byteCount
  }
}
