public import MemoryAccess
internal import Platform
internal import Synchronization
internal import SystemPackage

extension MemoryFile {
  /// Makes sure that the bytes of `wanted` have storage, so that a store to them cannot fail.
  ///
  /// A store into a hole of a file on a full file system, or of huge pages that are all taken, ends
  /// the process with SIGBUS; so bytes are backed before they are written. Storage is taken for
  /// whole chunks of 2 MiB or one huge page, as long as there is room for that, and a chunk that
  /// was backed once by this object is not asked about again. A limit on the memory of a control
  /// group is none on storage: the kernel enforces it by ending processes.
  ///
  /// On a file system without fallocate(2), zeros are written into the holes; so no other thread
  /// may store into a hole that is being backed.
  ///
  /// - Throws: `outOfSpace`, `cannotBack`; the bytes read as before.
  /// - Precondition: the bytes exist.
  /// - Complexity: O(chunks); one system call for each that was not backed before.
  public func back(_ wanted: PhysicalRange) throws(MemoryFileError) {
    precondition(contains(wanted), "bytes outside the memory file")
    guard !wanted.isEmpty else { return }
    let bytes = wanted.start.rawValue..<wanted.start.rawValue &+ wanted.byteCount
    do throws(Errno) {
      try state.withLock { (state) throws(Errno) in
        for chunk in state.backed.chunks(of: bytes) where !state.backed[chunk] {
          let whole = state.backed.bytes(ofChunk: chunk, fileByteCount: byteCount)
          do throws(Errno) {
            try allocate(whole)
            state.backed[chunk] = true
          } catch {
            // No room for the whole chunk; there may be some for what is wanted of it.
            guard isLackOfSpace(error) else { throw error }
            try allocate(pages(of: bytes.clamped(to: whole)).clamped(to: whole))
          }
        }
      }
    } catch {
      throw isLackOfSpace(error) ? .outOfSpace : .cannotBack(error)
    }
  }

  /// Gives the storage of `unwanted` back, in whole pages of the file; the bytes read as zeros.
  ///
  /// What shares a chunk with them has to be backed anew before it is written where it had been a
  /// hole before.
  ///
  /// - Throws: `cannotRelease`.
  /// - Precondition: the bytes exist.
  public func release(_ unwanted: PhysicalRange) throws(MemoryFileError) {
    precondition(contains(unwanted), "bytes outside the memory file")
    guard !unwanted.isEmpty else { return }
    let bytes = unwanted.start.rawValue..<unwanted.start.rawValue &+ unwanted.byteCount
    do throws(Errno) {
      try state.withLock { (state) throws(Errno) in
        for chunk in state.backed.chunks(of: bytes) { state.backed[chunk] = false }
        try SystemCalls.punchHole(file.descriptor, bytes)
      }
    } catch {
      throw .cannotRelease(error)
    }
  }

  /// Waits until what was stored in `written` is on the disk: msync(2) with MS_SYNC.
  ///
  /// Only then does it survive a loss of power, and only on a disk; the end of a process loses
  /// nothing that was stored.
  ///
  /// - Throws: `cannotSynchronize`.
  /// - Precondition: the bytes exist.
  public func synchronize(_ written: PhysicalRange) throws(MemoryFileError) {
    precondition(contains(written), "bytes outside the memory file")
    guard !written.isEmpty else { return }
    let pages = pages(
      of: written.start.rawValue..<written.start.rawValue &+ written.byteCount)
    do throws(Errno) {
      // SAFETY: the pages hold bytes of the file, so they are mapped.
      unsafe try SystemCalls.synchronize(base + Int(pages.lowerBound), byteCount: pages.count)
    } catch {
      throw .cannotSynchronize(error)
    }
  }

  /// The whole pages that hold `bytes`.
  private func pages(of bytes: Range<UInt64>) -> Range<UInt64> {
    bytes.lowerBound & ~(pageByteCount &- 1)..<Self.rounded(bytes.upperBound, to: pageByteCount)
  }

  /// The pool of huge pages says ENOMEM at times, where a file system says ENOSPC.
  private func isLackOfSpace(_ error: Errno) -> Bool {
    if case .hugetlbfs = storage, error == .noMemory { return true }
    return error == .noSpace || error == .diskQuotaExceeded
  }

  private func allocate(_ bytes: Range<UInt64>) throws(Errno) {
    do throws(Errno) {
      try SystemCalls.allocate(file.descriptor, bytes)
    } catch {
      guard error == .notSupported || error == .noFunction else { throw error }
      try fillHoles(in: bytes.clamped(to: 0..<byteCount))
    }
  }

  /// Writes zeros where nothing is stored. A file system that does not tell where that is stores
  /// holes as zeros anyway, or says that all is data and is believed.
  private func fillHoles(in bytes: Range<UInt64>) throws(Errno) {
    var next = bytes.lowerBound
    while next < bytes.upperBound {
      let hole = try SystemCalls.seek(file.descriptor, to: .hole, from: next)
      guard hole < bytes.upperBound else { return }
      var end = bytes.upperBound
      do throws(Errno) {
        end = min(end, try SystemCalls.seek(file.descriptor, to: .data, from: hole))
      } catch {
        guard error == .noSuchAddressOrDevice else { throw error }
      }
      next = hole
      while next < end {
        next &+= try SystemCalls.writeZeros(file.descriptor, next..<end)
      }
    }
  }
}
