internal import Platform
internal import SystemPackage

extension Successor {
  /// Becomes the successor: execve(2). The process keeps its number, its parent and what was passed
  /// on; of this program nothing is left. What is in the buffers of standard output is written
  /// first, and no signal is blocked.
  ///
  /// The new program does not wait until large memory files are unmapped: where 64 MiB or more are
  /// passed on, a short-lived process of its own does that meanwhile. It is nobody's child but init's.
  ///
  /// Until then the descriptors are open to every program that any thread starts; so none does
  /// meanwhile.
  ///
  /// - Throws: `cannotPass`, `cannotExecute`; everything is as before.
  public func exec() throws(SuccessorError) -> Never {
    let strings = try startStrings()
    var opened: [FileDescriptor] = []
    defer { for descriptor in opened { try? SystemCalls.setCloseOnExec(descriptor, true) } }
    for entry in passed {
      do throws(Errno) {
        guard try SystemCalls.isClosedOnExec(entry.descriptor) else { continue }
        try SystemCalls.setCloseOnExec(entry.descriptor, false)
        opened.append(entry.descriptor)
      } catch {
        throw .cannotPass(name: entry.name, error)
      }
    }
    let byteCount = files.reduce(0) { $0 &+ $1.byteCount }
    let error = SystemCalls.execute(
      strings, leavesMemoryBehind: byteCount >= Self.slowlyUnmappedByteCount)
    throw .cannotExecute(error)
  }

  /// Starts the successor as a child of this process: posix_spawn(3). Only the child gets the
  /// descriptors; here they stay as they are. No signal is blocked in it.
  ///
  /// - Returns: the child's process identifier; the caller waits for it.
  /// - Throws: `cannotPass`, `cannotSpawn`.
  public func spawn() throws(SuccessorError) -> Int32 {
    let strings = try startStrings()
    do throws(Errno) {
      return try SystemCalls.spawn(strings, passing: passed.map(\.descriptor.rawValue))
    } catch {
      throw .cannotSpawn(error)
    }
  }

  /// From here on, unmapping takes longer than starting a process that does it.
  private static var slowlyUnmappedByteCount: UInt64 { 64 << 20 }

  private func startStrings() throws(SuccessorError) -> ProgramStrings {
    var entries: [SuccessorVariable.Entry] = []
    for entry in passed {
      do throws(Errno) {
        entries.append(
          .init(
            name: entry.name, number: entry.descriptor.rawValue,
            identity: try SystemCalls.status(of: entry.descriptor).identity))
      } catch {
        throw .cannotPass(name: entry.name, error)
      }
    }
    return ProgramStrings(
      executable: executable, arguments: arguments, environment: environment,
      adding: (SuccessorVariable.name, SuccessorVariable(entries).text))
  }
}
