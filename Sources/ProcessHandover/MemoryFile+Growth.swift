internal import Platform
internal import Synchronization
internal import SystemPackage

extension MemoryFile {
  /// Makes the file at least `wanted` bytes long, rounded up to whole pages of the file; the new
  /// bytes are zeros. What is mapped stays where it is.
  ///
  /// - Throws: `beyondCapacity`, `cannotMap`, `cannotResize`, `frozen`, `cannotInspect`; nothing has
  ///   changed.
  public func grow(to wanted: UInt64) throws(MemoryFileError) {
    try state.withLock { (state) throws(MemoryFileError) in
      guard wanted > byteCount else { return }
      guard wanted <= capacity else {
        throw .beyondCapacity(byteCount: wanted, capacity: capacity)
      }
      let wanted = Self.rounded(wanted, to: pageByteCount)
      let there = try Self.status(of: file.descriptor).byteCount
      // Another process may have made the file longer: all of that is taken in.
      let end = max(wanted, min(there, capacity))
      // Pages beyond the end can be mapped, and not touched; so what can fail comes first.
      try mapMore(upTo: end)
      // Resizing to less than another process has made of it would cut that off.
      if there < wanted {
        do throws(Errno) {
          try SystemCalls.resize(file.descriptor, to: wanted)
        } catch {
          throw error == .notPermitted ? .frozen : .cannotResize(byteCount: wanted, error)
        }
      }
      extend(to: end, &state)
    }
  }

  /// Looks whether another process, or another object, made the file longer, and takes in what is
  /// new as far as the capacity goes.
  ///
  /// - Throws: `cannotInspect`, `cannotMap`; nothing has changed.
  public func noticeGrowth() throws(MemoryFileError) {
    try state.withLock { (state) throws(MemoryFileError) in
      let there = min(try Self.status(of: file.descriptor).byteCount, capacity)
      guard there > byteCount else { return }
      try mapMore(upTo: there)
      extend(to: there, &state)
    }
  }

  private func mapMore(upTo wanted: UInt64) throws(MemoryFileError) {
    let mapped = Self.rounded(byteCount, to: pageByteCount)
    let end = Self.rounded(wanted, to: pageByteCount)
    guard mapped < end else { return }
    do throws(Errno) {
      try addresses.map(file.descriptor, mapped..<end)
    } catch {
      throw .cannotMap(byteCount: end, error)
    }
  }

  private func extend(to byteCount: UInt64, _ state: inout State) {
    // Of the last chunk only the part that existed was backed.
    let last = state.backed.chunks(of: 0..<self.byteCount).upperBound
    state.backed[last] = false
    presentByteCount.store(byteCount, ordering: .releasing)
  }
}
