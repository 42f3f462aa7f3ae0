internal import Platform
import ProcessHandover
import Synchronization
public import SystemPackage

/// Durable commits: two copies of a store in a folder on a disk. A power loss leaves at least one of them whole.
///
///     let copies = try DurableCopies(of: store, in: "/var/lib/service")
///     try store.transaction { … }
///     try copies.commit()          // survives a power loss from here on
///     …
///     try DurableCopies.restore(from: "/var/lib/service", to: "/dev/shm/service")
///
/// Commits write the copies by turns:
///
///     copy-0, copy-1   memory files, each of one instant
///     commits          a record for each: its number, and a check value
///
/// A commit brings the older copy up to date, writing only the pages that differ; waits until the disk has it,
/// fsync(2); and then writes its record, and waits again. Until the disk has the new record, the other copy is
/// the valid one. The kernel may write pages in any order, and a record that a power loss cut short is not valid.
///
/// The commit after an interrupted one continues it: it does not write the pages again that the copy has already.
/// While a commit compares the pages, threads that change the store wait, and readers do not; while it waits for
/// the disk, only threads that commit wait. Threads that commit at the same time share a commit.
///
/// Memory that the program writes without the store, in regions of its own, is copied as it is at that moment.
public final class DurableCopies: Sendable {
  /// A commit that ended.
  public struct Commit: Hashable, Sendable {
    /// How many commits the folder has had, this one included.
    public let number: UInt64
    /// How many bytes differed and were written.
    public let writtenByteCount: UInt64
  }

  private struct Work: ~Copyable {
    let folder: CopyFolder
    /// The newest commit.
    var newest: DurableRecord?
    /// The last commit of this object.
    var last: Commit?
    /// The last ticket that this commit covers.
    var coveredTicket: UInt64 = 0
  }

  private let store: PersistentStore
  /// What identifies the memory of the store.
  private let identity: MemoryFileIdentity
  private let work: Mutex<Work>
  /// The number of calls of ``commit()``. A commit covers all that began before it.
  private let tickets = Atomic<UInt64>(0)

  /// Opens the folder, or makes it, for copies of `store`.
  ///
  /// - Throws: ``DurableCopiesError``: `otherStore`, `inUse`, `unknownLayout`, and `system` with what open(2)
  ///   and the like report.
  /// - Precondition: the store is open.
  public init(
    of store: PersistentStore, in folder: FilePath
  ) throws(DurableCopiesError) {
    self.store = store
    identity = store.memoryIdentity
    let folder = try CopyFolder.making(at: folder)
    let newest = try folder.newestRecord()
    if let newest, newest.identity != identity { throw .otherStore }
    work = Mutex(Work(folder: folder, newest: newest))
  }

  /// Makes everything durable that was changed before the call.
  ///
  /// - Returns: the commit; several threads get the same one.
  /// - Throws: ``DurableCopiesError``: `changing`, of a store that was opened to be read; `system` with what
  ///   pwrite(2), fsync(2) and the like report. The last commit that ended stays valid then.
  /// - Precondition: the store is open, and no transaction is being made by this thread.
  /// - Complexity: O(bytes that are stored).
  @discardableResult
  public func commit() throws(DurableCopiesError) -> Commit {
    let ticket = tickets.add(1, ordering: .sequentiallyConsistent).newValue
    return try work.withLock { (work) throws(DurableCopiesError) -> Commit in
      if let last = work.last, work.coveredTicket >= ticket { return last }
      let covered = tickets.load(ordering: .sequentiallyConsistent)
      let commit = try commit(&work)
      work.coveredTicket = covered
      work.last = commit
      return commit
    }
  }

  private func commit(_ work: inout Work) throws(DurableCopiesError) -> Commit {
    let sequence = (work.newest?.sequence ?? 0) &+ 1
    var copied: (writtenByteCount: UInt64, byteCount: UInt64)?
    do throws(Errno) {
      copied = try store.whileUnchanged { (file) throws(Errno) in
        (try work.folder.update(copyOf: sequence, from: file), file.byteCount)
      }
    } catch {
      throw .system(error)
    }
    guard let copied else { throw .changing }
    let record = DurableRecord(
      sequence: sequence, byteCount: copied.byteCount, identity: identity)
    do throws(Errno) { try work.folder.end(record) } catch { throw .system(error) }
    work.newest = record
    return Commit(number: sequence, writtenByteCount: copied.writtenByteCount)
  }

  /// Makes a memory file at `path` of the newest commit in `folder`: `PersistentStore.open` reads it.
  ///
  /// It appears under its name when the disk has all of it; if that fails, nothing is left of it. The folder stays
  /// as it is; commits of the restored store go on there.
  ///
  /// - Returns: the number of the commit.
  /// - Throws: ``DurableCopiesError``: `noCopy`, `inUse`, `unknownLayout`; `system`, with `fileExists` if `path`
  ///   exists.
  /// - Complexity: O(bytes that are stored).
  @discardableResult
  public static func restore(
    from folder: FilePath, to path: FilePath
  ) throws(DurableCopiesError) -> UInt64 {
    let folder = try CopyFolder.existing(at: folder)
    guard let newest = try folder.newestRecord() else { throw .noCopy }
    do throws(Errno) { try folder.restore(newest, to: path) } catch { throw .system(error) }
    return newest.sequence
  }
}
