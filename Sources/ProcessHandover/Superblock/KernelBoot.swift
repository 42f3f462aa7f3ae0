import MemoryImages
import SystemPackage

/// The boot of the kernel that runs now.
enum KernelBoot {
  /// A number that another boot does not have, from the kernel's boot_id, proc(5); 0 where it has none.
  static let current: UInt64 = {
    let path = FilePath("/proc/sys/kernel/random/boot_id")
    guard let text = try? SmallFile.read(path, atMost: 64), !text.isEmpty else { return 0 }
    var check = CheckValue()
    for byte in text { check.append(byte) }
    return max(check.value, 1)
  }()
}
