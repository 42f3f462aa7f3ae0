public import Synchronization

/// A run of aligned 64-bit words of physical memory, lent for the length of a call.
///
/// Every access is one aligned machine word, so a reader that looks at the memory between two stores,
/// another thread, a successor after a crash, sees each word before or after its store and never
/// half of it.
@frozen
@safe
public struct MemoryWords: ~Copyable {
  @usableFromInline
  let base: UnsafeMutableRawPointer

  /// The number of words.
  public let count: Int

  /// Lends `count` words from `base` on.
  ///
  /// Only the types that own or map memory call this.
  ///
  /// - Precondition: `base` is a multiple of 8, and `count` words from it stay readable and
  ///   writable for as long as the value lives.
  @inlinable
  @unsafe
  public init(base: UnsafeMutableRawPointer, count: Int) {
    // SAFETY: kept as the caller promised it; only the methods below use it.
    unsafe self.base = base
    self.count = count
  }

  @inlinable
  func word(_ index: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
    require(that: index >= 0 && index < count, "word outside the memory that was lent")
    // SAFETY: the index is inside the words that `init` was promised, which are aligned; an
    // `Atomic<UInt64>` has the layout of the word it holds, and all accesses go through it.
    return unsafe (base + index &* 8).assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  /// The word at `index`.
  ///
  /// - Precondition: `index` is in `0..<count`.
  @inlinable
  public func load(_ index: Int) -> UInt64 {
    // SAFETY: `word(_:)` checks the index.
    unsafe word(index).pointee.load(ordering: .relaxed)
  }

  /// Stores `value` at `index`, in no order with other stores.
  ///
  /// For words that no reader can reach yet, and for state that only one thread uses. A store that
  /// makes something visible is ``publish(_:at:)``.
  ///
  /// - Precondition: `index` is in `0..<count`.
  @inlinable
  public func store(_ value: UInt64, at index: Int) {
    // SAFETY: `word(_:)` checks the index.
    unsafe word(index).pointee.store(value, ordering: .relaxed)
  }

  /// Stores `value` at `index`, after everything that this thread stored before.
  ///
  /// The store that links a filled node, or sets a bit: a reader that sees it sees all of that, too.
  ///
  /// - Precondition: `index` is in `0..<count`.
  @inlinable
  public func publish(_ value: UInt64, at index: Int) {
    // SAFETY: `word(_:)` checks the index.
    unsafe word(index).pointee.store(value, ordering: .releasing)
  }

  /// Sets every word to zero.
  @inlinable
  public func clear() {
    // SAFETY: exactly the bytes that `init` was promised.
    unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: count &* 8)
  }
}
