internal import CPlatform
package import SystemPackage

extension SystemCalls {
  /// ioctl(2) with a structure of the Live Update Orchestrator, whose first word is its own length.
  package static func liveUpdate(
    _ descriptor: FileDescriptor, _ request: UInt32, _ bytes: inout [UInt8]
  ) throws(Errno) {
    try perform(.ioctl) {
      // SAFETY: the kernel reads and writes as many bytes as the first word says, which is the count.
      unsafe bytes.withUnsafeMutableBytes {
        unsafe kho_live_update(descriptor.rawValue, request, $0.baseAddress)
      }
    }
  }

  /// Whether a live update gives the file back sealed against writing.
  package static func comesBackReadOnly(_ descriptor: FileDescriptor) throws(Errno) -> Bool {
    try perform(.getWriteSeals) { kho_comes_back_read_only(descriptor.rawValue) } != 0
  }

  /// Whether the file is sealed against writing.
  package static func isSealedAgainstWriting(_ descriptor: FileDescriptor) throws(Errno) -> Bool {
    try perform(.getWriteSeals) { kho_is_write_sealed(descriptor.rawValue) } != 0
  }

  /// kexec_file_load(2).
  package static func loadKernel(
    _ kernel: FileDescriptor, initramfs: FileDescriptor?, commandLine: String
  ) throws(Errno) {
    try perform(.kexecFileLoad) {
      // SAFETY: the kernel copies the text and the 0 behind it.
      unsafe commandLine.withCString {
        unsafe kho_load_kernel(
          kernel.rawValue, initramfs?.rawValue ?? -1, $0, commandLine.utf8.count &+ 1)
      }
    }
  }

  /// reboot(2).
  package static func restart(_ command: UInt32) throws(Errno) {
    try perform(.reboot) { kho_restart(command) }
  }
}
