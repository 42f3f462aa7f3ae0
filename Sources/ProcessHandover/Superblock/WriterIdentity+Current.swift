import MemoryImages
import Platform
import SystemPackage

extension WriterIdentity {
  /// This process.
  static var current: WriterIdentity {
    let processID = UInt64(clamping: SystemCalls.processID)
    return WriterIdentity(processID: processID, startTime: startTime(of: processID) ?? 0)
  }

  /// When the process of that number started, in the kernel's ticks since boot: field 22 of
  /// /proc/PID/stat, proc(5). Nil if the process does not exist.
  static func startTime(of processID: UInt64) -> UInt64? {
    let text = try? SmallFile.read(FilePath("/proc/\(processID)/stat"), atMost: 4096)
    // The command's name is in parentheses and may hold any of them; what follows the last is fixed.
    guard let text, let end = text.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = text[(end + 1)...].split(separator: UInt8(ascii: " "))
    guard fields.count > 19 else { return nil }
    return UInt64(String(decoding: fields[19], as: UTF8.self))
  }

  /// Whether the process still runs: false where another has its number now.
  public var isRunning: Bool {
    Self.startTime(of: processID) == startTime && startTime != 0
  }
}
