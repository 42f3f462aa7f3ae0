public import SystemPackage

/// The program that goes on with what this process has: the next version of it, for one.
///
///     var successor = Successor("/usr/bin/service", arguments: ["--adopt"])
///     successor.pass(memoryFile)
///     successor.pass(lock)
///     successor.pass(NamedDescriptor("listener", socket))
///     try successor.exec()
///
/// The successor gets exactly the descriptors that are passed, and the standard streams: one that other
/// code opened without close-on-exec is closed too. Descriptors keep their numbers; the environment
/// variable `KHO_HANDOVER` names them, and ``inherited()`` reads it in the successor.
public struct Successor: Sendable {
  /// The program.
  public let executable: FilePath
  /// Its arguments, without its name.
  public let arguments: [String]
  /// Its environment; nil for this process's.
  public let environment: [String: String]?

  private(set) var passed: [NamedDescriptor] = []
  /// Kept so that their descriptors stay open.
  private(set) var files: [MemoryFile] = []

  /// The program at `executable`, which is not searched for.
  ///
  /// - Precondition: no string holds a zero character, and no name of the environment an equals
  ///   sign.
  public init(
    _ executable: FilePath, arguments: [String] = [], environment: [String: String]? = nil
  ) {
    let strings = arguments + (environment ?? [:]).flatMap { [$0.key, $0.value] }
    precondition(strings.allSatisfy { !$0.utf8.contains(0) }, "zero character in a string")
    precondition(
      environment?.keys.allSatisfy { !$0.isEmpty && !$0.utf8.contains(UInt8(ascii: "=")) } ?? true,
      "not the name of an environment variable")
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
  }

  /// Passes a descriptor on.
  ///
  /// - Precondition: neither the name nor the descriptor is passed on already, and it stays open
  ///   until the successor is started.
  public mutating func pass(_ descriptor: NamedDescriptor) {
    precondition(
      !passed.contains {
        $0.name == descriptor.name || $0.descriptor == descriptor.descriptor
      }, "passed on twice: \(descriptor.name)")
    precondition(passed.count < NamedDescriptor.countLimit, "too many descriptors")
    passed.append(descriptor)
  }

  /// Passes a memory file on, and keeps it open for that.
  public mutating func pass(_ file: MemoryFile, named name: String = "memory") {
    pass(file.withDescriptor { NamedDescriptor(name, $0) })
    files.append(file)
  }

  /// Passes the lock of a memory file on.
  ///
  /// Once the successor is started as a process of its own, this process drops its lock, and does
  /// not release it: that would release the successor's as well.
  ///
  /// - Precondition: the lock is not given up until the successor is started.
  public mutating func pass(_ lock: borrowing WriterLock, named name: String = "lock") {
    pass(NamedDescriptor(name, lock.descriptor))
  }
}
