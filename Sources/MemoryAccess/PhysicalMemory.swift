/// Memory that can be read by physical address: the one door between coordinates and bytes.
///
/// Everything that interprets a handover is generic over this protocol, so that a process's memory
/// file, an image of a Linux machine, a running machine and a freestanding program are read by the
/// same code.
///
/// A conforming type must answer every question about every address, however wild: readers of
/// hostile memory hand over unchecked addresses.
public protocol PhysicalMemory {
  /// Whether every byte of `range` is memory of the machine, stored here or not.
  ///
  /// True of an empty range.
  func contains(_ range: PhysicalRange) -> Bool

  /// Calls `body` with the bytes of `range`; nil, without calling it, when a byte is missing.
  ///
  /// Another process or a kernel may write the bytes while `body` reads them. A reader of such memory loads each
  /// value that it decides by once, with `word(atByte:)`, `uint32(atByte:)` and `byte(at:)` of `RawSpan`, which the
  /// compiler does not load again, or examines a copy (`copiedBytes()`). It never checks bytes of the span and
  /// loads them again to use them.
  func withBytes<Result: ~Copyable, Failure: Error>(
    in range: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result?

  /// The first run of bytes at or after `address` that are stored, cut to start no earlier than
  /// `address`; nil if none exists.
  ///
  /// Holes of a sparse image, which read as zeros, count as not stored here: a scan skips them.
  func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange?

  /// The number of bytes that can be read, an upper bound for everything that can be found in them.
  var byteCount: UInt64 { get }

  /// Says that `range` was read and will not be needed soon.
  ///
  /// A hint: memory behind a file may drop the pages. The default does nothing.
  func finishedReading(_ range: PhysicalRange)

  /// Calls `body` with a direct map of the same bytes; returns `nil`, without calling it, if this memory has none.
  ///
  /// Code that reads many pages is compiled for ``DirectMap``, which it reads faster than memory of a type that it
  /// does not know. The default returns `nil`.
  ///
  /// Unsafe: the map does not keep the memory. `body` must not let a copy of it out.
  ///
  /// - Throws: the error of `body`.
  /// - Complexity: O(1), and that of `body`.
  @unsafe
  func withDirectMap<Result: ~Copyable, Failure: Error>(
    _ body: (DirectMap) throws(Failure) -> Result
  ) throws(Failure) -> Result?
}

extension PhysicalMemory {
  /// Returns `nil`.
  @inlinable
  @unsafe
  public func withDirectMap<Result: ~Copyable, Failure: Error>(
    _ body: (DirectMap) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    nil
  }

  /// Does nothing.
  @inlinable
  public func finishedReading(_ range: PhysicalRange) {}
}

/// Memory that may also be written, by one writer at a time.
public protocol WritablePhysicalMemory: PhysicalMemory {
  /// Calls `body` with `count` 64-bit words from `address` on, for reading and writing.
  ///
  /// - Precondition: `address` is a multiple of 8 and all the words exist.
  func withWords<Result: ~Copyable, Failure: Error>(
    at address: PhysicalAddress, count: Int,
    _ body: (borrowing MemoryWords) throws(Failure) -> Result
  ) throws(Failure) -> Result

  /// Calls `body` with words that ``withWords(at:count:_:)`` of this value has lent before, without looking once more
  /// whether they exist.
  ///
  /// For code that uses the same page very often. The default looks.
  ///
  /// Unsafe: words that were not lent before may be memory of another owner.
  ///
  /// - Throws: the error of `body`.
  /// - Precondition: this value, or one that it is a copy of, has lent all of the words.
  /// - Complexity: O(1), beside `body`; the default's is that of ``withWords(at:count:_:)``.
  @unsafe
  func withKnownWords<Result: ~Copyable, Failure: Error>(
    at address: PhysicalAddress, count: Int,
    _ body: (borrowing MemoryWords) throws(Failure) -> Result
  ) throws(Failure) -> Result

  /// Calls `body` with the bytes of `range`, to fill them.
  ///
  /// A reader that runs at the same time can see any part of the new bytes. Fill memory that no reader can reach yet,
  /// and make it visible with `MemoryWords.publish(_:at:)`.
  ///
  /// - Precondition: the bytes exist.
  func withMutableBytes<Result: ~Copyable, Failure: Error>(
    in range: PhysicalRange, _ body: (inout MutableRawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result
}

extension WritablePhysicalMemory {
  /// Calls ``withWords(at:count:_:)``.
  @inlinable
  @unsafe
  public func withKnownWords<Result: ~Copyable, Failure: Error>(
    at address: PhysicalAddress, count: Int,
    _ body: (borrowing MemoryWords) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withWords(at: address, count: count, body)
  }
}
