import KexecHandover
import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What the program does as one of its own predecessors and successors.
///
/// The arguments are the role, the path, the order of the blocks, and then the role's own. Times are
/// written into a descriptor called `report`.
enum Roles {
  static let program: FilePath = "/proc/self/exe"
  static let reportName = "report"

  /// fill PATH ORDER BYTES
  static func fill(_ arguments: [String]) throws {
    try Contents(byteCount: number(arguments[3]), order: order(arguments))
      .fill(FilePath(arguments[1]))
  }

  /// spread PATH ORDER BYTES
  static func spread(_ arguments: [String]) throws {
    let count = try SpreadContents(byteCount: number(arguments[3])).fill(FilePath(arguments[1]))
    let line = "\(arguments[3]) bytes with \(count) entries\n"
    try FileDescriptor.standardError.writeAll(Array(line.utf8))
  }

  /// launch PATH ORDER SUCCESSOR TOUCHES VERIFIES: takes the memory over, reads all of it or nothing,
  /// and becomes its successor.
  static func launch(_ arguments: [String]) throws {
    guard var inherited = try Successor.inherited(), let report = inherited.take(reportName) else {
      fail("no report")
    }
    let memory = try PreservedMemory.open(FilePath(arguments[1]))
    if arguments[4] == "touch" { try check(memory, order(arguments), all: true) }
    var successor = Successor(
      program,
      arguments: [
        arguments[3], arguments[1], arguments[2], arguments[5], "\(Clock.now)",
        "\(Moment.now.faultCount)",
      ])
    successor.pass(NamedDescriptor(reportName, report))
    try memory.exec(successor)
  }

  /// adopt PATH ORDER VERIFIES TIME FAULTS
  static func adopt(_ arguments: [String], startedAt start: Moment) throws {
    guard var inherited = try Successor.inherited(), let report = inherited.take(reportName),
      var memory = try PreservedMemory.inherited(&inherited)
    else { fail("nothing inherited") }
    try measure(report, arguments, start, &memory)
  }

  /// restart PATH ORDER VERIFIES TIME
  static func restart(_ arguments: [String], startedAt start: Moment) throws {
    guard var inherited = try Successor.inherited(), let report = inherited.take(reportName) else {
      fail("no report")
    }
    var memory = try PreservedMemory.open(FilePath(arguments[1]))
    try measure(report, arguments, start, &memory)
  }

  /// Reads the first byte, makes the allocator, and reports when each was done and how many page faults that took.
  private static func measure(
    _ report: FileDescriptor, _ arguments: [String], _ start: Moment,
    _ memory: inout PreservedMemory
  ) throws {
    let first = try firstWord(of: memory)
    let read = Moment.now
    let page = try memory.allocate(.zero)
    let allocated = Moment.now
    try memory.free(page)
    guard first & 1 == 1 else { fail("the first byte differs") }
    try check(memory, order(arguments), all: arguments[3] == "all")
    let begin = try number(arguments[4])
    // The kernel counts on through execve(2).
    let base = arguments.count > 5 ? try number(arguments[5]) : 0
    try say(
      report,
      [
        start.time - begin, read.time - begin, allocated.time - read.time,
        start.faultCount - base, read.faultCount - base, allocated.faultCount - read.faultCount,
      ])
  }

  /// fresh PATH ORDER VERIFIES TIME FAULTS: keeps all blocks in one call; `fresh-each`, block by block.
  static func fresh(_ arguments: [String], startedAt start: Moment) throws {
    guard var inherited = try Successor.inherited(), let report = inherited.take(reportName),
      var takeover = try FreshTakeover.inherited(&inherited)
    else { fail("nothing inherited") }
    let begunAt = Clock.now
    let order = try order(arguments)
    let table = try takeover.keepRegion(named: Contents.tableName)
    let blocks = takeover.withBytes(of: table) { bytes in
      (0..<bytes.byteCount / 8).map {
        PhysicalBlock(
          address: PhysicalAddress(bytes.word(atByte: $0 * 8) ?? 0), order: order)
      }
    }
    if arguments[0] == "fresh" {
      try takeover.keep(blocks)
    } else {
      for block in blocks { try takeover.keep(block) }
    }
    let keptAt = Clock.now
    let memory = try takeover.finish()
    let finishedAt = Clock.now
    try check(memory, order, all: arguments[3] == "all")
    let begin = try number(arguments[4])
    try say(report, [start.time - begin, begunAt - begin, keptAt - begin, finishedAt - begin])
  }

  /// hold PATH ORDER: has the memory until it is killed.
  static func hold(_ arguments: [String]) throws {
    guard var inherited = try Successor.inherited(), let report = inherited.take(reportName) else {
      fail("no report")
    }
    let memory = try PreservedMemory.open(FilePath(arguments[1]))
    try check(memory, order(arguments), all: true)
    try say(report, [1])
    while true { pause() }
  }

  /// count PATH BYTES: opens a file that takes at most so many bytes, and reads the first byte, for `Benchmarks/misses`.
  /// Valgrind does not have the addresses that a file may grow to by default.
  static func count(_ arguments: [String]) throws {
    try openAndRead(FilePath(arguments[1]), growableTo: try number(arguments[2]))
    // Closing is not counted.
    exit(0)
  }

  @inline(never)
  private static func openAndRead(_ path: FilePath, growableTo byteCount: UInt64) throws {
    let memory = try PreservedMemory.open(path, growableTo: byteCount)
    guard try firstWord(of: memory) & 1 == 1 else { fail("the first byte differs") }
  }

  // MARK: Parts

  /// The first word of the first block.
  private static func firstWord(of memory: borrowing PreservedMemory) throws -> UInt64 {
    guard let table = try memory.table() else { fail("no table") }
    return memory.word(at: memory.word(at: table.start.rawValue))
  }

  private static func check(
    _ memory: borrowing PreservedMemory, _ order: PageOrder, all: Bool
  ) throws {
    guard let table = try memory.table() else { fail("no table") }
    let part =
      all ? table : PhysicalRange(start: table.start, byteCount: min(table.byteCount, 64))
    let wrong = memory.wrongPageCount(part, order)
    guard wrong == 0 else { fail("\(wrong) pages differ") }
  }

  private static func order(_ arguments: [String]) throws -> PageOrder {
    PageOrder(Int(try number(arguments[2])))
  }

  private static func number(_ text: String) throws -> UInt64 {
    guard let number = UInt64(text) else { fail("no number: \(text)") }
    return number
  }

  private static func say(_ report: FileDescriptor, _ numbers: [UInt64]) throws {
    let line = numbers.map(String.init).joined(separator: " ") + "\n"
    try report.writeAll(Array(line.utf8))
  }
}

/// Ends the process with what is wrong.
func fail(_ reason: String) -> Never {
  _ = try? FileDescriptor.standardError.writeAll(Array("TakeoverSpeed: \(reason)\n".utf8))
  exit(1)
}
