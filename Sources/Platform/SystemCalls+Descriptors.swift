internal import CPlatform
package import SystemPackage

extension SystemCalls {
  /// fcntl(2) with F_GETFL: O_RDONLY, O_WRONLY or O_RDWR.
  package static func accessMode(of descriptor: FileDescriptor) throws(Errno) -> CInt {
    try perform(.getAccessMode) { kho_access_mode(descriptor.rawValue) }
  }

  /// fcntl(2) with F_GETFD: whether FD_CLOEXEC, 1, is set.
  package static func isClosedOnExec(_ descriptor: FileDescriptor) throws(Errno) -> Bool {
    try perform(.getDescriptorFlags) { kho_descriptor_flags(descriptor.rawValue) } & 1 != 0
  }

  /// fcntl(2) with F_SETFD.
  package static func setCloseOnExec(_ descriptor: FileDescriptor, _ isClosed: Bool) throws(Errno) {
    try perform(.setDescriptorFlags) {
      kho_set_close_on_exec(descriptor.rawValue, isClosed ? 1 : 0)
    }
  }
}

extension SystemCalls {
  /// flock(2), exclusive, without waiting.
  package static func lockExclusively(_ descriptor: FileDescriptor) throws(Errno) {
    try perform(.flock) { kho_lock_exclusively(descriptor.rawValue) }
  }

  /// flock(2) with LOCK_UN.
  package static func unlock(_ descriptor: FileDescriptor) throws(Errno) {
    try perform(.unlock) { kho_unlock(descriptor.rawValue) }
  }
}
