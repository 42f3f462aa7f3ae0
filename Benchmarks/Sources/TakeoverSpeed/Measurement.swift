import KexecHandover
import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Fills memory files of all sizes, and measures them in turn, so that whatever else the machine does
/// meets all of them alike.
struct Measurement {
  private let choices: Choices
  private var table = Table(of: .time)
  private var faults = Table(of: .pageFaults)

  init(_ choices: Choices) { self.choices = choices }

  private static let adoptSizes: [UInt64] = [16 << 20, 256 << 20, 1 << 30, 8 << 30]
  private static let freshSizes: [UInt64] = [16 << 20, 256 << 20, 1 << 30]

  /// Files that are far larger than memory: their pages have no storage.
  private static let spreadSizes: [UInt64] = [
    16 << 20, 256 << 20, 1 << 30, 16 << 30, 256 << 30, 1 << 40,
  ]

  mutating func run() throws {
    if choices.part != .spread { try runBlocks() }
    if choices.part != .blocks { try runSpread() }
    table.print()
    print()
    faults.print()
  }

  private mutating func runSpread() throws {
    var sizes = Self.spreadSizes
    if let largest = choices.largest { sizes.removeAll { $0 > largest } }
    let files = try sizes.map { try MeasuredFile($0, 0, in: choices.folder, role: "spread") }
    for _ in 0..<choices.runCount {
      for file in files {
        let times = try file.run("launch", ["adopt", "leave", "some"])
        add("pages all over, exec", file, times)
        let again = try file.run("restart", ["some"], isTimed: true)
        add("pages all over, new process", file, again)
      }
    }
  }

  private mutating func runBlocks() throws {
    for order in [9, 4, 0] {
      let isLarge = order != 4
      var sizes = isLarge ? Self.adoptSizes : Self.freshSizes
      sizes.removeAll { !hasRoom(for: $0) }
      let files = try sizes.map { try MeasuredFile($0, order, in: choices.folder) }
      for repetition in 0..<choices.runCount {
        let isLast = repetition == choices.runCount - 1
        for file in files {
          if isLarge { try measureAdopting(file, verifies: isLast) }
          if Self.freshSizes.contains(file.byteCount) {
            try measureFresh(file, verifies: isLast)
          }
        }
      }
    }
  }

  private func hasRoom(for byteCount: UInt64) -> Bool {
    if let largest = choices.largest { return byteCount <= largest }
    // The files of all sizes exist at the same time.
    return byteCount <= 1 << 30 || availableByteCount > byteCount + byteCount / 2
  }

  /// MemAvailable of /proc/meminfo, in bytes.
  private var availableByteCount: UInt64 {
    guard let text = try? SmallFile.read("/proc/meminfo", atMost: 1 << 16) else { return 0 }
    let line = String(decoding: text, as: UTF8.self).split(separator: "\n")
      .first { $0.hasPrefix("MemAvailable:") }
    let number = line?.split(separator: " ").dropFirst().first.flatMap { UInt64($0) }
    return (number ?? 0) * 1024
  }

  private mutating func measureAdopting(_ file: MeasuredFile, verifies: Bool) throws {
    let check = verifies ? "all" : "some"
    for touch in ["leave", "touch"] {
      let times = try file.run("launch", ["adopt", touch, check])
      add(touch == "touch" ? "exec of a predecessor that had read all" : "exec", file, times)
    }
    let holder = try RoleProcess { file.arguments("hold") }
    guard try holder.numbers() == [1] else { fail("no process holds the memory") }
    try holder.kill()
    let times = try file.run("restart", [check], isTimed: true)
    add("new process after kill -9", file, times)
  }

  /// Adds what a process has reported that took memory over: three times, and three numbers of page faults.
  private mutating func add(_ who: String, _ file: MeasuredFile, _ numbers: [UInt64]) {
    guard numbers.count == 6 else { fail("\(numbers.count) numbers in place of six") }
    let parts = ["to main", "to the first byte", "first allocation after that"]
    for (index, part) in parts.enumerated() {
      table.add("\(who): \(part)", file, numbers[index])
      faults.add("\(who): \(part)", file, numbers[3 + index])
    }
  }

  private mutating func measureFresh(_ file: MeasuredFile, verifies: Bool) throws {
    let times = try file.run("launch", ["fresh", "leave", verifies ? "all" : "some"])
    table.add("fresh: to the first byte", file, times[1])
    table.add("fresh: to all blocks kept", file, times[2])
    table.add("fresh: to the end of the take-over", file, times[3])
    let each = try file.run("launch", ["fresh-each", "leave", "some"])
    table.add("fresh, block by block: to the end of the take-over", file, each[3])
  }
}

/// A memory file that is measured; gone with the value.
final class MeasuredFile {
  let byteCount: UInt64
  let order: Int
  private let path: String

  init(_ byteCount: UInt64, _ order: Int, in folder: String, role: String = "fill") throws {
    self.byteCount = byteCount
    self.order = order
    path = "\(folder)/takeover-speed-\(getpid())-\(order)-\(byteCount)"
    let arguments = [role, path, "\(order)", "\(byteCount)"]
    _ = try RoleProcess.run { arguments }
  }

  deinit {
    // SAFETY: the path is a string.
    _ = unsafe unlink(path)
  }

  func arguments(_ role: String, _ more: [String] = [], isTimed: Bool = false) -> [String] {
    [role, path, "\(order)"] + more + (isTimed ? ["\(Clock.now)"] : [])
  }

  /// Runs a role on the file; gives its times.
  func run(_ role: String, _ more: [String], isTimed: Bool = false) throws -> [UInt64] {
    let times = try RoleProcess.run { arguments(role, more, isTimed: isTimed) }
    guard times.count >= 3 else { fail("\(role) printed no times") }
    return times
  }
}
