import Handover
import MemoryAccess
import MemoryImages
import PreservedPages
import ProcessHandover

extension HandoverImageError {
  /// What was found, as it follows `kho: IMAGE: `.
  public var sentence: String {
    switch self {
    case .image(let error): error.sentence
    case .memoryFile(let error): error.sentence
    case .memoryFileWithoutHandover: "a memory file in which no process has begun a handover yet"
    case .deviceTreeFile(let path, let error): "\(path): \(error.sentence)"
    case .deviceTreeFileTooLarge(let path, let limit):
      "\(path): larger than the \(limit) bytes that a root device tree may have"
    case .noHandover:
      "no root device tree of a handover at the start of any page; if it is stored elsewhere, give its address "
        + "with --fdt-address, or give it with --fdt"
    case .onlyMemoryFiles(let count):
      "no handover of the machine; \(countText(count, "root device tree")) in its memory "
        + "\(count == 1 ? "is" : "are") of memory files of processes"
    case .noHandoverInPart(let shortfall):
      "no root device tree of a handover at the start of any page in the part that is there; \(shortfall)"
    case .unreadable(let finding): finding.sentence
    case .nothingPreserved(let title): "\(title) preserves nothing"
    case .memoryInTooManyPieces: "memory in more than \(MemoryMap.limit) pieces"
    case .runningSystem(let error): error.sentence
    }
  }
}

extension LiveSystemError {
  /// What was found, as it follows `kho: live: `.
  public var sentence: String {
    switch self {
    case .memory(let error): "the memory cannot be read: \(error.description.dropLast())"
    case .debugfsNotMounted:
      "debugfs is not mounted, and it shows the handovers; mount it: "
        + "mount -t debugfs none /sys/kernel/debug (the kernel needs CONFIG_DEBUG_FS)"
    case .deviceTreeRefused(let path):
      "\(path) may be read by root alone, and not under kernel lockdown; run as root"
    case .deviceTreeUnreadable(let path, let error): "\(path): \(error.sentence)"
    case .deviceTreeTooLarge(let path, let limit):
      "\(path) is larger than the \(limit) bytes of any root device tree"
    case .handoverFolderMissing(let folder):
      "the kernel shows no handovers (no \(folder)); it needs CONFIG_KEXEC_HANDOVER, "
        + "CONFIG_KEXEC_HANDOVER_DEBUGFS where it has that option, and kho=on on its command line"
    case .outgoingNotFound(let folder):
      "the kernel does not show the root device tree of the handover that it prepares (no \(folder)/out/fdt), "
        + "and none was found in memory"
    case .machineUnreadable:
      "neither the kernel's log (/dev/kmsg) nor /proc/zoneinfo can be read; run as root"
    case .noHandoverYet(let folder):
      "no handover yet: this kernel got none, and prepares none; a kernel of kho-v1 "
        + "(Linux 6.16 to 6.19) shows one after 1 is written to \(folder)/out/finalize"
    }
  }
}

extension HandoverImageError: CustomStringConvertible {
  /// What was found and where, as a part of a sentence.
  public var description: String { sentence }
}

extension LiveSystemError: CustomStringConvertible {
  /// What was found and where, as a part of a sentence.
  public var description: String { sentence }
}
