internal import Platform
internal import SystemPackage

extension Successor {
  /// Becomes the successor: execve(2). The process keeps its number, its parent, its standard streams
  /// and the descriptors that were passed; nothing is left of this program, and every other descriptor
  /// is closed, also one that was opened without close-on-exec.
  ///
  /// What is in the buffer of standard output is written first, unless another thread is writing to it;
  /// the caller flushes other streams. No signal is blocked in the successor.
  ///
  /// The new program does not wait until large memory files are unmapped: where 64 MiB or more are
  /// passed on, a short-lived process unmaps them meanwhile. It is a child of init, not of this process.
  ///
  /// Until then, a program that another thread starts gets the passed descriptors as well, so no other
  /// thread starts one meanwhile.
  ///
  /// - Throws: `cannotPass`, `cannotExecute`; everything is as before, and descriptors that would have
  ///   been closed are as usable as before.
  public func exec() throws(SuccessorError) -> Never {
    let strings = try startStrings()
    let descriptors: DescriptorsAcrossExec
    do throws(Errno) {
      descriptors = try DescriptorsAcrossExec(passing: passed.map(\.descriptor))
    } catch {
      throw .cannotExecute(error)
    }
    let byteCount = files.reduce(0) { $0 &+ $1.byteCount }
    let error = SystemCalls.execute(
      strings, leavesMemoryBehind: byteCount >= Self.slowlyUnmappedByteCount)
    descriptors.restore()
    throw .cannotExecute(error)
  }

  /// Starts the successor as a child of this process. The child gets the standard streams and the
  /// descriptors that were passed, and no other descriptor, also none that was opened without
  /// close-on-exec; here they stay as they are. No signal is blocked in it.
  ///
  /// - Returns: the child's process identifier; the caller waits for it.
  /// - Throws: `cannotPass`, `cannotSpawn`.
  public func spawn() throws(SuccessorError) -> Int32 {
    let strings = try startStrings()
    do throws(Errno) {
      return try SystemCalls.spawn(strings, passing: passed.map(\.descriptor))
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
