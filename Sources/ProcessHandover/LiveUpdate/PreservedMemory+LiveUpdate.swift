internal import Platform
import SystemPackage

extension PreservedMemory {
  /// Has the next kernel keep the memory: it comes back with ``retrieved(from:token:growableTo:)``.
  ///
  /// The memory can be used up to the kexec, and what is stored until then is there after it. While it
  /// is preserved, the file keeps its size and all of its pages have memory behind them: allocation goes
  /// on within ``byteCount``, and growth fails until the session ends.
  ///
  /// A file at a path has to lose its name first, unlink(2): a live update keeps only files without one.
  ///
  /// - Parameter session: kept by the caller until the kexec.
  /// - Parameter token: a number that the session has no other file under.
  /// - Throws: ``LiveUpdateError``.
  public borrowing func preserve(
    in session: borrowing LiveUpdate.OutgoingSession, token: UInt64 = 1
  ) throws(LiveUpdateError) {
    let descriptor = file.withDescriptor { $0 }
    try session.preserve(descriptor, token: token)
  }

  /// Why preserved memory did not come back from a live update.
  @nonexhaustive
  public enum RetrievalError: Error, Equatable, Sendable {
    /// The Live Update Orchestrator refused.
    case liveUpdate(LiveUpdateError)
    /// The file came back, and cannot be taken over.
    case memory(PreservedMemoryError)
  }

  /// Takes over the memory that a process preserved before the kernel was updated.
  ///
  /// The caller finishes the session once it has all of its files; only then can the memory grow, and be
  /// preserved again.
  ///
  /// - Throws: ``RetrievalError``; `readOnly` of a memfd that came back sealed against writing.
  public static func retrieved(
    from session: borrowing LiveUpdate.IncomingSession, token: UInt64 = 1,
    growableTo capacity: UInt64 = standardCapacity
  ) throws(RetrievalError) -> PreservedMemory {
    let descriptor: FileDescriptor
    do throws(LiveUpdateError) { descriptor = try session.retrieve(token: token) } catch {
      throw .liveUpdate(error)
    }
    if (try? SystemCalls.isSealedAgainstWriting(descriptor)) == true {
      SystemCalls.release(descriptor)
      throw .liveUpdate(.readOnly)
    }
    let file: MemoryFile
    do throws(MemoryFileError) {
      file = try MemoryFile.adopt(descriptor, growableTo: capacity)
    } catch {
      throw .memory(.file(error))
    }
    do throws(PreservedMemoryError) { return try PreservedMemory(adopting: file) } catch {
      throw .memory(error)
    }
  }
}

extension PreservedMemory.RetrievalError: CustomStringConvertible {
  /// What was found and where, as a part of a sentence.
  public var description: String {
    switch self {
    case .liveUpdate(let error): "\(error)"
    case .memory(let error): "the memory came back, and cannot be taken over: \(error)"
    }
  }
}
