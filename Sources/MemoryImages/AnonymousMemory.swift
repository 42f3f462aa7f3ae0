public import MemoryAccess
internal import Platform
internal import SystemPackage

/// Memory of this process, zero-filled, presented at physical addresses of the caller's choice.
///
/// For tests, benchmarks and models of a machine. Pages take memory once they are written.
///
/// `@unchecked Sendable`: the pointer never changes, and what it points to is shared by the rules of
/// `WritablePhysicalMemory`: one writer at a time.
@safe
public final class AnonymousMemory: WritablePhysicalMemory, @unchecked Sendable {
  @usableFromInline
  let map: DirectMap

  private let base: UnsafeMutableRawPointer

  /// Memory at the addresses of `range`.
  ///
  /// - Parameter range: the physical addresses.
  /// - Parameter usesHugePages: asks for transparent huge pages (MADV_HUGEPAGE, madvise(2)).
  /// - Throws: `cannotAllocate` when mmap(2) fails.
  /// - Precondition: `range` is not empty and starts at a multiple of the machine's page size.
  /// - Complexity: O(1); the zeros are made when a page is first touched.
  public init(_ range: PhysicalRange, usesHugePages: Bool = false) throws(MemoryImageError) {
    precondition(!range.isEmpty, "empty memory")
    precondition(
      range.start.rawValue & (SystemCalls.pageByteCount &- 1) == 0, "not the start of a page")
    guard let byteCount = Int(exactly: range.byteCount) else {
      throw .cannotAllocate(byteCount: range.byteCount, .noMemory)
    }
    do throws(Errno) {
      // SAFETY: a fresh mapping; `deinit` alone unmaps it.
      unsafe self.base = try SystemCalls.mapZeros(byteCount: byteCount)
    } catch {
      throw .cannotAllocate(byteCount: range.byteCount, error)
    }
    // SAFETY: a mapping is page-aligned and `byteCount` bytes long, and it stays as long as `self`,
    // which every use of the map below keeps alive.
    unsafe self.map = DirectMap(range, mappedAt: base)
    if usesHugePages {
      // SAFETY: the advice changes the size of the pages, not what they hold.
      unsafe SystemCalls.advise(base, byteCount: byteCount, .hugePages)
    }
  }

  deinit {
    // SAFETY: the lender of the bytes keeps the object alive until they are given back.
    unsafe SystemCalls.unmap(base, byteCount: Int(map.byteCount))
  }

  /// The same memory without the reference count, for hot paths.
  ///
  /// Unsafe: the value does not keep the memory. Use it, and copies of it, only while something
  /// else keeps this object alive, `withExtendedLifetime` for one.
  @inlinable
  @unsafe
  public var unsafeDirectMap: DirectMap { map }
}
