import MemoryAccess

/// The room in which a region list begins: on the heap, or memory that the caller lends.
///
/// The regions are outside the value that owns the room, so that a list is passed on and changed
/// without copying them.
///
/// Frozen, because Embedded Swift has to see how the room is given back where an allocator goes out of use.
@frozen
@usableFromInline
@safe
struct RegionSlots: ~Copyable {
  @usableFromInline
  let base: UnsafeMutablePointer<MemoryRegion>
  /// How many regions there is room for.
  @usableFromInline
  let capacity: Int
  @usableFromInline
  let isOnHeap: Bool

  /// Room on the heap.
  init(capacity: Int) {
    require(that: capacity >= 4, "room for fewer than 4 regions")
    // SAFETY: deallocated by `deinit` alone. A region is trivial, so bytes that were never set are
    // never interpreted: the owner reads only what it has written.
    unsafe base = .allocate(capacity: capacity)
    self.capacity = capacity
    isOnHeap = true
  }

  /// The room that `storage` has for whole regions.
  ///
  /// - Precondition: `storage` is aligned to 8 bytes and nothing else uses it while the value lives.
  @unsafe
  init(borrowing storage: UnsafeMutableRawBufferPointer) {
    let capacity = storage.count / MemoryLayout<MemoryRegion>.stride
    guard let start = storage.baseAddress, capacity >= 4 else {
      Panic.end("room for fewer than 4 regions")
    }
    require(that: UInt(bitPattern: start) & 7 == 0, "unaligned room for regions")
    // SAFETY: aligned and large enough, as just checked, and nothing else uses it, as the caller
    // promised.
    unsafe base = start.bindMemory(to: MemoryRegion.self, capacity: capacity)
    self.capacity = capacity
    isOnHeap = false
  }

  @inlinable
  deinit {
    // SAFETY: allocated by `init`, and nothing else keeps the pointer.
    if isOnHeap { unsafe base.deallocate() }
  }

  /// The region at `index`, which is in `0..<capacity`.
  subscript(index: Int) -> MemoryRegion {
    @inline(__always) get {
      require(that: index >= 0 && index < capacity, "no such region")
      // SAFETY: inside the room, as just checked.
      return unsafe base[index]
    }
    @inline(__always) nonmutating set {
      require(that: index >= 0 && index < capacity, "no such region")
      // SAFETY: inside the room, as just checked.
      unsafe base[index] = newValue
    }
  }

  /// Copies `count` regions from `source` on to where `target` is; both runs may overlap.
  func move(_ count: Int, from source: Int, to target: Int) {
    require(
      that: count >= 0 && source >= 0 && target >= 0 && source <= capacity &- count
        && target <= capacity &- count, "no such regions")
    // SAFETY: both runs are inside the room, as just checked.
    unsafe (base + target).update(from: base + source, count: count)
  }
}
