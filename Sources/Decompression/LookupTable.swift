/// A table with a power of two of entries, looked up by bits of which those above the table's size do not
/// count: so no index is outside it, whatever the input is, and none is checked.
@safe
struct LookupTable<Entry: BitwiseCopyable>: ~Copyable {
  private let entries: UnsafeMutablePointer<Entry>
  /// The number of entries less 1.
  private let mask: Int

  /// A table of 2^`shift` entries.
  init(shift: Int, repeating entry: Entry) {
    mask = 1 &<< shift &- 1
    unsafe entries = UnsafeMutablePointer.allocate(capacity: mask &+ 1)
    // SAFETY: as many entries were allocated; all of them are initialized from here on.
    unsafe entries.initialize(repeating: entry, count: mask &+ 1)
  }

  deinit {
    // SAFETY: allocated by `init`; entries are trivial.
    unsafe entries.deallocate()
  }

  subscript(bits: Int) -> Entry {
    @inline(__always)
    get {
      // SAFETY: masked to an index of the table.
      unsafe entries[bits & mask]
    }
    @inline(__always)
    nonmutating set {
      // SAFETY: masked to an index of the table.
      unsafe entries[bits & mask] = newValue
    }
  }
}
