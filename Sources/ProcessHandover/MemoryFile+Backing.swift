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
  /// was backed once by this object is not asked about again.
  ///
  /// Where the process's control group limits its memory, the kernel enforces that by ending processes;
  /// so storage that would come close to the limit is refused.
  ///
  /// On a file system without fallocate(2), zeros are written into the holes; so no other thread
  /// may store into a hole that is being backed.
  ///
  /// - Throws: `outOfSpace`, `beyondMemoryLimit`, `frozen`, `cannotBack`; the bytes read as before.
  /// - Precondition: the bytes exist.
  /// - Complexity: O(chunks); one system call for each that was not backed before.
  public func back(_ wanted: PhysicalRange) throws(MemoryFileError) {
    try back(wanted, isExact: false)
  }

  /// - Parameter isExact: of several chunks, backs exactly what is wanted, so that it can be given back.
  private func back(_ wanted: PhysicalRange, isExact: Bool) throws(MemoryFileError) {
    precondition(contains(wanted), "bytes outside the memory file")
    guard !wanted.isEmpty else { return }
    let bytes = wanted.start.rawValue..<wanted.start.rawValue &+ wanted.byteCount
    try state.withLock { (state) throws(MemoryFileError) in
      let chunks = state.backed.chunks(of: bytes)
      for chunk in chunks where !state.backed[chunk] {
        let whole = state.backed.bytes(ofChunk: chunk, fileByteCount: byteCount)
        let part = pages(of: bytes.clamped(to: whole)).clamped(to: whole)
        do throws(MemoryFileError) {
          if isExact, chunks.count > 1, part != whole {
            try allocate(part, &state)
          } else {
            try allocate(whole, &state)
            state.backed[chunk] = true
          }
        } catch {
          // No room for the whole chunk; there may be some for what is wanted of it.
          guard error.isLackOfRoom else { throw error }
          try allocate(part, &state)
        }
      }
    }
  }

  /// The same for bytes that are not in use: if not all of them fit, none keeps its
  /// storage.
  func backUnused(_ wanted: PhysicalRange) throws(MemoryFileError) {
    do throws(MemoryFileError) {
      try back(wanted, isExact: true)
    } catch {
      try? release(wanted)
      throw error
    }
  }

  /// Gives the storage of `unwanted` back, in whole pages of the file; the bytes read as zeros.
  ///
  /// What shares a chunk with them has to be backed anew before it is written where it had been a
  /// hole before.
  ///
  /// - Throws: `cannotRelease`, `frozen`.
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
      throw error == .notPermitted ? .frozen : .cannotRelease(error)
    }
  }

  /// How many bytes of its file system the file takes, if the file system reports that: fstat(2).
  public var storedByteCount: UInt64? {
    withDescriptor { try? SystemCalls.status(of: $0).storedByteCount }
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

  /// Backs the bytes, if the control group has room for them.
  private func allocate(
    _ bytes: Range<UInt64>, _ state: inout State
  ) throws(MemoryFileError) {
    // After a take-over, most chunks have their storage. One system call finds that out; the control
    // group's limits take twenty.
    if isCached(bytes) { return }
    try checkMemoryLimit(bytes, &state)
    do throws(Errno) {
      do throws(Errno) {
        try SystemCalls.allocate(file.descriptor, bytes)
      } catch {
        guard error == .notSupported || error == .noFunction else { throw error }
        try fillHoles(in: bytes.clamped(to: 0..<byteCount))
      }
    } catch {
      switch error {
      case .noSpace, .diskQuotaExceeded: throw .outOfSpace
      // The pool of huge pages reports ENOMEM at times, where a file system reports ENOSPC.
      case .noMemory where storage.isOfHugePages: throw .outOfSpace
      case .notPermitted:
        // A file that is kept for a kernel update has all its pages, and they stay.
        guard isStored(bytes) else { throw .frozen }
      default: throw .cannotBack(error)
      }
    }
  }

  /// Whether the file's pages are ordinary memory.
  private var isInMemory: Bool { storage == .memfd || storage == .tmpfs }

  /// Whether the file's pages are ordinary memory, and none of the bytes is in a hole or in swap.
  private func isCached(_ bytes: Range<UInt64>) -> Bool {
    guard isInMemory, let count = try? SystemCalls.cachedPageCount(file.descriptor, bytes) else {
      return false
    }
    return count == (UInt64(bytes.count) &+ pageByteCount &- 1) / pageByteCount
  }

  /// Whether the file system says that none of the bytes is in a hole.
  private func isStored(_ bytes: Range<UInt64>) -> Bool {
    let hole = try? SystemCalls.seek(file.descriptor, to: .hole, from: bytes.lowerBound)
    return hole.map { $0 >= min(bytes.upperBound, byteCount) } ?? false
  }

  /// Looks whether the control group has room for bytes, now and then: see ``ControlGroupMemory``.
  private func checkMemoryLimit(
    _ bytes: Range<UInt64>, _ state: inout State
  ) throws(MemoryFileError) {
    guard isInMemory, let group = ControlGroupMemory.own else { return }
    let count = UInt64(bytes.count)
    if count > state.uncheckedByteCount {
      let room = group.room()
      let needed = room.byteCount < count ? unstoredByteCount(of: bytes) : count
      guard needed <= room.byteCount else {
        throw .beyondMemoryLimit(byteCount: needed, limit: room.limit)
      }
      // Others take memory too, so it is not long until the next look.
      state.uncheckedByteCount = max(count, min(room.byteCount / 2, 64 << 20))
    }
    state.uncheckedByteCount &-= count
  }

  /// How many of the bytes are in holes; all where the file system does not say.
  private func unstoredByteCount(of bytes: Range<UInt64>) -> UInt64 {
    var count = UInt64(bytes.count)
    var next = bytes.lowerBound
    while next < bytes.upperBound,
      let data = try? SystemCalls.seek(file.descriptor, to: .data, from: next),
      data < bytes.upperBound,
      let hole = try? SystemCalls.seek(file.descriptor, to: .hole, from: data), hole > data
    {
      next = min(hole, bytes.upperBound)
      count &-= next &- data
    }
    return count
  }

  /// Writes zeros where nothing is stored. A file system that does not report that stores
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

extension MemoryFileError {
  /// Whether less storage may be had where this much cannot.
  fileprivate var isLackOfRoom: Bool {
    switch self {
    case .outOfSpace, .beyondMemoryLimit: true
    default: false
    }
  }
}
