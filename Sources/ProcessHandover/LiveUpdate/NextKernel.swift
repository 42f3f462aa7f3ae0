internal import Platform
public import SystemPackage

/// The kernel that a kexec starts.
public enum NextKernel {
  /// Loads a kernel to be started by ``start()``: kexec_file_load(2).
  ///
  /// With Kexec HandOver on, it and its initramfs are placed in scratch memory, so both have to fit
  /// there.
  ///
  /// - Parameter initramfs: the initramfs; nil for none.
  /// - Parameter kernel: an image that the running kernel can boot: a bzImage on x86-64.
  /// - Parameter commandLine: at most 2,047 bytes on x86-64.
  /// - Throws: `failed` with `loadKernel`, also where a file cannot be opened.
  public static func load(
    _ kernel: FilePath, initramfs: FilePath? = nil, commandLine: String
  ) throws(LiveUpdateError) {
    do throws(Errno) {
      let image = OwnedDescriptor(try SystemCalls.open(kernel, .readOnly))
      guard let initramfs else {
        return try SystemCalls.loadKernel(
          image.descriptor, initramfs: nil, commandLine: commandLine)
      }
      let archive = OwnedDescriptor(try SystemCalls.open(initramfs, .readOnly))
      try SystemCalls.loadKernel(
        image.descriptor, initramfs: archive.descriptor, commandLine: commandLine)
    } catch {
      throw .failed(.loadKernel, error)
    }
  }

  /// Starts the kernel that was loaded, at once: reboot(2) with LINUX_REBOOT_CMD_KEXEC. File systems are
  /// not unmounted, and no process is notified.
  ///
  /// - Throws: `failed` with `restart`; otherwise it does not return.
  public static func start() throws(LiveUpdateError) {
    try restart(0x4558_4543)
  }

  /// Switches the machine off: reboot(2) with LINUX_REBOOT_CMD_POWER_OFF.
  ///
  /// - Throws: `failed` with `restart`; otherwise it does not return.
  package static func powerOff() throws(LiveUpdateError) {
    try restart(0x4321_fedc)
  }

  private static func restart(_ command: UInt32) throws(LiveUpdateError) {
    do throws(Errno) { try SystemCalls.restart(command) } catch { throw .failed(.restart, error) }
  }
}
