import MemoryAccess
import MemoryImages
import SystemPackage

/// The boot of the kernel that runs now.
enum KernelBoot {
  /// A number that identifies the boot, from the kernel's boot_id, proc(5); 0 if the process cannot read that.
  static let current: UInt64 = {
    let path = FilePath("/proc/sys/kernel/random/boot_id")
    guard let text = try? SmallFile.read(path, atMost: 64), !text.isEmpty else { return 0 }
    return max(text.withRawSpan { $0.checkValue }, 1)
  }()
}
