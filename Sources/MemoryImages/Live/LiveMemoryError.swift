public import SystemPackage

/// Why the memory of the running system cannot be read: for each of its two doors a reason.
public struct LiveMemoryError: Error, Hashable, Sendable {
  /// Why not through `/proc/kcore`.
  public let kcore: KcoreReason
  /// Why not through `/dev/mem`.
  public let deviceMemory: DeviceMemoryReason

  /// What can be wrong with `/proc/kcore`.
  @nonexhaustive
  public enum KcoreReason: Hashable, Sendable {
    /// It does not exist: the kernel was built without CONFIG_PROC_KCORE.
    case missing
    /// open(2) or read(2) failed.
    case refused(Errno)
    /// It is not an ELF file of a 64-bit little-endian machine.
    case malformed
    /// No segment has a physical address: p_paddr is -1 in all of them.
    case withoutPhysicalAddresses
  }

  /// What can be wrong with `/dev/mem`.
  @nonexhaustive
  public enum DeviceMemoryReason: Hashable, Sendable {
    /// It does not exist: the kernel was built without CONFIG_DEVMEM.
    case missing
    /// open(2) failed.
    case refused(Errno)
    /// `/proc/iomem`, which lists the memory, cannot be read.
    case mapRefused(Errno)
    /// `/proc/iomem` shows no addresses, or no memory.
    case mapHidden
    /// The memory that `/proc/iomem` shows cannot be read: CONFIG_STRICT_DEVMEM.
    case strict
  }
}

extension LiveMemoryError: CustomStringConvertible {
  /// One sentence: what was found, and what to do about it.
  public var description: String {
    "/proc/kcore \(kcore.text), and /dev/mem \(deviceMemory.text)."
  }
}

extension LiveMemoryError.KcoreReason {
  fileprivate var text: String {
    switch self {
    case .missing: "does not exist (the kernel needs CONFIG_PROC_KCORE)"
    case .refused(.notPermitted):
      "is locked (kernel lockdown, or CAP_SYS_RAWIO is missing: run as root, without Secure Boot's"
        + " lockdown)"
    case .refused(.permissionDenied): "may be read by root alone (run as root)"
    case .refused(let error): "cannot be read (\(error))"
    case .malformed: "is not an ELF file of a 64-bit little-endian machine"
    case .withoutPhysicalAddresses: "gives no physical addresses"
    }
  }
}

extension LiveMemoryError.DeviceMemoryReason {
  fileprivate var text: String {
    switch self {
    case .missing: "does not exist (the kernel needs CONFIG_DEVMEM)"
    case .refused(.notPermitted), .refused(.permissionDenied):
      "may be read by root alone, and not under kernel lockdown"
    case .refused(let error): "cannot be read (\(error))"
    case .mapRefused(let error): "cannot be used, for /proc/iomem cannot be read (\(error))"
    case .mapHidden: "cannot be used, for /proc/iomem shows addresses to root alone"
    case .strict: "gives no memory (the kernel has CONFIG_STRICT_DEVMEM)"
    }
  }
}
