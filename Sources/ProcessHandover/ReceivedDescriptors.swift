internal import Platform
public import SystemPackage

/// Descriptors that were passed on to this process. Each is taken once, by its name; those that
/// were not taken are closed with the value. All are closed by execve(2).
public struct ReceivedDescriptors: ~Copyable, Sendable {
  private var entries: [NamedDescriptor]

  init(_ entries: [NamedDescriptor]) { self.entries = entries }

  /// None: what a process has that was not started as a successor.
  public init() { entries = [] }

  deinit { for entry in entries { SystemCalls.release(entry.descriptor) } }

  /// The names of what was not taken yet, in the order in which they were passed on.
  public var names: [String] { entries.map(\.name) }

  /// The first descriptor of that name that was not taken yet, which is the caller's from here on.
  public mutating func take(_ name: String) -> FileDescriptor? {
    guard let index = entries.firstIndex(where: { $0.name == name }) else { return nil }
    return entries.remove(at: index).descriptor
  }

  /// Adds a descriptor, which is this value's from here on.
  mutating func append(_ entry: NamedDescriptor) { entries.append(entry) }

  /// Gives the descriptors the names that came with them.
  mutating func rename(_ names: [String]) {
    entries = zip(names, entries).map { NamedDescriptor(unchecked: $0, $1.descriptor) }
  }

  /// The number of descriptors that were not taken yet.
  public var count: Int { entries.count }
}
