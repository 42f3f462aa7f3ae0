internal import Platform
internal import SystemPackage

/// What /proc says of locks, proc(5).
///
/// /proc/locks names the process that took a lock, which may be gone while a child holds it; the
/// fdinfo of a descriptor says whether that one holds it, where it may be read. So the first is
/// a hint where to look, and used only where the owner cannot be looked up.
enum LockTable {
  /// Who holds the exclusive flock(2) lock on a file.
  static func holder(of file: FileIdentity) -> LockHolder? {
    let hints = SystemCalls.text(of: "/proc/locks", atMost: 1 << 20)
      .split(separator: "\n").compactMap(LockLine.init)
      .filter { $0.processID > 0 && $0.mayBe(file) }
    for process in hints.map(\.processID) + numbers(in: "/proc") {
      if holdsLock(process: String(process), on: file) { return holder(process) }
    }
    return hints.first { $0.device == file.deviceNumbers }.map { holder($0.processID) }
  }

  private static func holder(_ process: Int32) -> LockHolder {
    let name = SystemCalls.text(of: FilePath("/proc/\(process)/comm"), atMost: 64).prefix {
      $0 != "\n"
    }
    return LockHolder(processID: process, command: name.isEmpty ? nil : String(name))
  }

  private static func holdsLock(process: String, on file: FileIdentity) -> Bool {
    numbers(in: "/proc/\(process)/fdinfo").contains {
      holdsLock(process: process, descriptor: $0, on: file)
    }
  }

  /// Whether a descriptor of a process holds the exclusive lock on a file.
  static func holdsLock(process: String, descriptor: Int32, on file: FileIdentity) -> Bool {
    let lines = SystemCalls.text(
      of: FilePath("/proc/\(process)/fdinfo/\(descriptor)"), atMost: 1 << 16
    )
    .split(separator: "\n")
    let holds = lines.contains { line in
      line.hasPrefix("lock:") && LockLine(line.dropFirst(5))?.mayBe(file) == true
    }
    // Some file systems show another device there than to fstat(2); the file itself decides.
    let path = FilePath("/proc/\(process)/fd/\(descriptor)")
    return holds && (try? SystemCalls.status(at: path).identity) == file
  }

  /// The numbers among the names in a folder; none where it cannot be read.
  private static func numbers(in folder: String) -> [Int32] {
    (try? SystemCalls.names(in: FilePath(folder)))?.compactMap { Int32($0) } ?? []
  }
}

/// One line of /proc/locks that shows an exclusive flock(2) lock:
/// `3: FLOCK  ADVISORY  WRITE 359 00:13:11691 0 EOF`.
struct LockLine {
  let processID: Int32
  let device: DeviceNumbers
  let inode: UInt64

  init?(_ line: Substring) {
    let fields = line.split(whereSeparator: \.isWhitespace)
    // Who waits for a lock has an arrow in the second field.
    guard fields.count >= 6, fields[1] == "FLOCK", fields[3] == "WRITE",
      let processID = Int32(fields[4])
    else { return nil }
    let file = fields[5].split(separator: ":", omittingEmptySubsequences: false)
    guard file.count == 3, let major = UInt32(file[0], radix: 16),
      let minor = UInt32(file[1], radix: 16), let inode = UInt64(file[2])
    else { return nil }
    self.processID = processID
    self.device = DeviceNumbers(major: major, minor: minor)
    self.inode = inode
  }

  /// Whether the lock may be on a file: it has the same number on some device.
  func mayBe(_ file: FileIdentity) -> Bool { inode == file.inode }
}

/// A device, as /proc shows it.
struct DeviceNumbers: Equatable {
  let major: UInt32
  let minor: UInt32
}

extension FileIdentity {
  /// The parts of `st_dev`, as gnu_dev_major(3) takes them apart.
  var deviceNumbers: DeviceNumbers {
    DeviceNumbers(
      major: UInt32(truncatingIfNeeded: (device >> 8 & 0xfff) | (device >> 32 & ~0xfff)),
      minor: UInt32(truncatingIfNeeded: (device & 0xff) | (device >> 12 & ~0xff)))
  }
}
