import MemoryImages
public import SystemPackage

extension MachineSources {
  /// Reads the running system: its log, its command line, its zones, and the scratch areas that debugfs shows.
  ///
  /// - Parameter root: the folder in which `proc`, `sys` and `dev` of the system are.
  /// - Throws: ``LiveSystemError/machineUnreadable`` if neither the log nor the zones can be read.
  public init(ofSystemAt root: FilePath) throws(LiveSystemError) {
    self.init()
    func bytes(_ path: String, _ limit: Int) -> [UInt8]? {
      try? SmallFile.read(root.pushing(FilePath(path)), atMost: limit)
    }
    if let bytes = try? SmallFile.readLog(root.pushing("dev/kmsg"), atMost: KernelLog.byteLimit) {
      let log = KernelLog(bytes)
      // The start of the boot may have been overwritten since.
      if log.memory != nil, log.isWhole { self.log = log }
    }
    commandLine = bytes("proc/cmdline", KernelCommandLine.byteLimit).map {
      KernelCommandLine(String(decoding: $0, as: UTF8.self))
    }
    zones = bytes("proc/zoneinfo", ZoneInfo.byteLimit).flatMap { ZoneInfo($0) }
    memoryInfo = bytes("proc/meminfo", MemoryInfo.byteLimit).flatMap { MemoryInfo($0) }
    current = LiveSystem(root: root).currentScratch
    release = bytes("proc/sys/kernel/osrelease", 4096).flatMap {
      KernelRelease(parsing: String(decoding: $0, as: UTF8.self))
    }
    #if arch(arm64)
      architecture = .arm64
    #else
      architecture = .x86
    #endif
    guard log != nil || zones != nil else { throw .machineUnreadable }
  }
}
