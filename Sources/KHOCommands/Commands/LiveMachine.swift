internal import KexecHandover
internal import SystemPackage

/// The running system, for `kho plan --live`.
enum LiveMachine {
  /// What can be read of it.
  ///
  /// - Throws: `CommandFailure` where neither its log nor its zones can be read.
  static func sources(_ root: FilePath) throws(CommandFailure) -> MachineSources {
    var sources = MachineSources()
    func bytes(_ path: String, _ limit: Int) -> [UInt8]? {
      try? SmallFile.read(root.pushing(FilePath(path)), atMost: limit)
    }
    if let bytes = try? SmallFile.readLog(
      root.pushing("dev/kmsg"), atMost: KernelLog.byteLimit)
    {
      let log = KernelLog(bytes)
      // The start of the boot may have been overwritten since.
      if log.memory != nil, log.isWhole { sources.log = log }
    }
    sources.commandLine = bytes("proc/cmdline", KernelCommandLine.byteLimit).map {
      KernelCommandLine(String(decoding: $0, as: UTF8.self))
    }
    sources.zones = bytes("proc/zoneinfo", ZoneInfo.byteLimit).flatMap { ZoneInfo($0) }
    sources.memoryInfo = bytes("proc/meminfo", MemoryInfo.byteLimit).flatMap { MemoryInfo($0) }
    let debug = "sys/kernel/debug/kho/out/"
    if let lengths = bytes(debug + "scratch_len", CurrentScratch.byteLimit) {
      sources.current = CurrentScratch(
        lengths: lengths, addresses: bytes(debug + "scratch_phys", CurrentScratch.byteLimit))
    }
    sources.release = bytes("proc/sys/kernel/osrelease", 4096).flatMap {
      KernelRelease(parsing: String(decoding: $0, as: UTF8.self))
    }
    #if arch(arm64)
      sources.architecture = .arm64
    #else
      sources.architecture = .x86
    #endif
    guard sources.log != nil || sources.zones != nil else {
      throw .badInput(
        "live: neither the kernel's log (/dev/kmsg) nor /proc/zoneinfo can be read; run as root")
    }
    return sources
  }
}
