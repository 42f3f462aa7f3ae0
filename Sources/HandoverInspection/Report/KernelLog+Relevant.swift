import MemoryAccess

extension KernelLog {
  /// What is about KHO, the machine's memory, or a fault of the kernel.
  package static func relevantLines(of log: [UInt8]) -> [UInt8] {
    let marks = [
      "kho", "luo", "liveupdate", "live update", "kexec", "linux version", "command line:",
      "reserve_mem", "memory reservation", "memory: ", "bug:", "warning:", "oops", "panic",
    ]
    var result: [UInt8] = []
    for line in log.split(separator: 0x0a) where line.count < 4096 {
      let text = String(decoding: line, as: UTF8.self)
      let lowered = text.lowercased()
      if marks.contains(where: { lowered.contains($0) }) {
        result += Array(printable(text).utf8) + [0x0a]
      }
    }
    return result
  }
}
