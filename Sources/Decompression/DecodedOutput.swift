internal import MemoryAccess

/// The output of a decoder: what it has written, and what matches can copy from.
///
/// ```
///  buffer  ┌──────────────────────────┬─────────────────┬───────────────┬───────┐
///          │ window: handed out, kept │ not handed out  │ room          │ slack │
///          └──────────────────────────┴─────────────────┴───────────────┴───────┘
///          0                          handedOutCount    count           roomByteCount
/// ```
///
/// Without a receiver, the buffer holds the whole output. With one, the buffer is handed out when it is
/// full, and the last `windowByteCount` bytes move to its start, so that memory does not grow with the
/// output. Copies go in whole words and may write to the slack; nothing reads it as output.
///
/// The one place of this target with unsafe memory: each operation checks its bounds once.
@safe
struct DecodedOutput: ~Copyable {
  private static let slackByteCount = 64
  /// What is handed out at a time, at least.
  private static let pieceByteCount = 1 << 20

  private let base: UnsafeMutableRawPointer
  private let roomByteCount: Int
  private let windowByteCount: Int
  /// The most bytes of output.
  private let limit: Int
  private let receiver: ((RawSpan) -> Bool)?

  /// The bytes in the buffer.
  private(set) var count = 0
  private var handedOutCount = 0
  /// The bytes that were in the buffer, and are not any more.
  private var forgottenCount = 0
  private var check = OutputCheck.none
  private var checkedCount = 0

  /// The output of at most `limit` bytes, held as a whole.
  init(limit: Int) {
    self.limit = max(0, limit)
    roomByteCount = self.limit
    windowByteCount = self.limit
    receiver = nil
    // SAFETY: fresh memory, which `deinit` alone frees.
    unsafe base = Self.zeros(self.limit)
  }

  /// The output of at most `limit` bytes, given to `receiver` in pieces; a receiver that returns false
  /// wants no more. Matches reach back `windowByteCount` bytes at least.
  init(limit: Int, windowByteCount: Int, receiver: @escaping (RawSpan) -> Bool) {
    self.limit = max(0, limit)
    self.windowByteCount = windowByteCount
    roomByteCount = windowByteCount &+ max(windowByteCount, Self.pieceByteCount)
    self.receiver = receiver
    // SAFETY: fresh memory, which `deinit` alone frees.
    unsafe base = Self.zeros(roomByteCount)
  }

  private static func zeros(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let size = byteCount &+ slackByteCount
    let base = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
    // SAFETY: `size` bytes were allocated. All of them are initialized from here on.
    unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    return unsafe base
  }

  deinit {
    // SAFETY: allocated by `zeros`, and not lent beyond a call.
    unsafe base.deallocate()
  }

  /// All the bytes of output so far.
  var totalCount: Int { forgottenCount &+ count }

  /// A copy of the output; of one that is handed out, of what was not yet.
  func copiedBytes() -> [UInt8] {
    // SAFETY: `count` bytes from `base` on are initialized.
    unsafe [UInt8](UnsafeRawBufferPointer(start: base, count: count)[handedOutCount...])
  }

  /// The byte that is `distance` bytes before the end.
  ///
  /// - Precondition: it is in the output; of a distance beyond the buffer, the result is 0.
  @inline(__always)
  func byte(atDistance distance: Int) -> UInt8 {
    guard distance > 0, distance <= count else { return 0 }
    // SAFETY: an index of the buffer below `count`.
    return unsafe base.load(fromByteOffset: count &- distance, as: UInt8.self)
  }

  // Writing.

  @inline(__always)
  mutating func append(_ byte: UInt8) throws(DecompressionError) {
    if count == roomByteCount { try makeRoom() }
    // SAFETY: `count` is less than the room.
    unsafe base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
    count &+= 1
  }

  /// Appends `byteCount` bytes of `input` from `start` on.
  @inline(__always)
  mutating func append(
    _ input: RawSpan, from start: Int, byteCount: Int
  ) throws(DecompressionError) {
    guard start >= 0, start <= input.byteCount, byteCount >= 0,
      byteCount <= input.byteCount &- start
    else { throw .inputEnds }
    if byteCount <= 32, byteCount <= roomByteCount &- count, input.byteCount &- start >= 32 {
      // SAFETY: 32 bytes from `start` on are in the input; the room and the slack behind it take 32.
      unsafe copyWord(of: input, at: start, to: count)
      unsafe copyWord(of: input, at: start &+ 16, to: count &+ 16)
      count &+= byteCount
      return
    }
    try appendPieces(of: input, from: start, byteCount: byteCount)
  }

  @unsafe @inline(__always)
  private func copyWord(of input: RawSpan, at start: Int, to end: Int) {
    unsafe base.storeBytes(
      of: input.unsafeLoadUnaligned(
        fromUncheckedByteOffset: start, as: SIMD16<UInt8>.self),
      toByteOffset: end, as: SIMD16<UInt8>.self)
  }

  @inline(never)
  private mutating func appendPieces(
    of input: RawSpan, from start: Int, byteCount: Int
  ) throws(DecompressionError) {
    var start = start
    let end = start &+ byteCount
    while start < end {
      if count == roomByteCount { try makeRoom() }
      let taken = min(end &- start, roomByteCount &- count)
      unsafe input.withUnsafeBytes { bytes in
        // SAFETY: the range is inside the input; `taken` bytes are left in the room.
        unsafe (base + count).copyMemory(
          from: bytes.baseAddress.unsafelyUnwrapped + start, byteCount: taken)
      }
      count &+= taken
      start &+= taken
    }
  }

  mutating func append(repeating byte: UInt8, byteCount: Int) throws(DecompressionError) {
    var left = byteCount
    while left > 0 {
      if count == roomByteCount { try makeRoom() }
      let taken = min(left, roomByteCount &- count)
      // SAFETY: `taken` bytes are left in the room.
      unsafe (base + count).initializeMemory(as: UInt8.self, repeating: byte, count: taken)
      count &+= taken
      left &-= taken
    }
  }

  /// Appends `byteCount` bytes of the output that begin `distance` bytes before its end; a match may
  /// reach into its own output.
  @inline(__always)
  mutating func copyMatch(distance: Int, byteCount: Int) throws(DecompressionError) {
    guard distance > 0, distance <= count else { throw .distanceTooFar(distance) }
    guard byteCount <= roomByteCount &- count else {
      return try copyMatchInPieces(distance: distance, byteCount: byteCount)
    }
    // SAFETY: the source begins in the output, and the room has `byteCount` bytes.
    unsafe copyInside(distance: distance, byteCount: byteCount)
    count &+= byteCount
  }

  @inline(never)
  private mutating func copyMatchInPieces(
    distance: Int, byteCount: Int
  ) throws(DecompressionError) {
    var left = byteCount
    while left > 0 {
      if count == roomByteCount { try makeRoom() }
      guard distance <= count else { throw .distanceTooFar(distance) }
      let taken = min(left, roomByteCount &- count)
      // SAFETY: the source begins in the output, and the room has `taken` bytes.
      unsafe copyInside(distance: distance, byteCount: taken)
      count &+= taken
      left &-= taken
    }
  }

  @unsafe @inline(__always)
  private func copyInside(distance: Int, byteCount: Int) {
    let target = unsafe base + count
    let source = unsafe target - distance
    if distance >= 16 {
      var done = 0
      repeat {
        unsafe target.storeBytes(
          of: source.loadUnaligned(fromByteOffset: done, as: SIMD16<UInt8>.self),
          toByteOffset: done, as: SIMD16<UInt8>.self)
        done &+= 16
      } while done < byteCount
    } else {
      unsafe copyOverlap(from: source, to: target, distance: distance, byteCount: byteCount)
    }
  }

  @unsafe
  private func copyOverlap(
    from source: UnsafeMutableRawPointer, to target: UnsafeMutableRawPointer, distance: Int,
    byteCount: Int
  ) {
    if distance == 1 {
      let byte = unsafe source.load(as: UInt8.self)
      unsafe target.initializeMemory(as: UInt8.self, repeating: byte, count: byteCount)
      return
    }
    // The bytes repeat with every multiple of the distance: from the first that a word fits in, words.
    let step = distance >= 8 ? distance : (7 / distance &+ 1) &* distance
    let single = min(byteCount, step &- distance)
    for index in 0..<single {
      unsafe target.storeBytes(
        of: source.load(fromByteOffset: index, as: UInt8.self), toByteOffset: index,
        as: UInt8.self)
    }
    var done = single
    while done < byteCount {
      unsafe target.storeBytes(
        of: target.loadUnaligned(fromByteOffset: done &- step, as: UInt64.self),
        toByteOffset: done, as: UInt64.self)
      done &+= 8
    }
  }

  // Room.

  /// Hands out what is in the buffer, and moves the window to its start.
  @inline(never)
  private mutating func makeRoom() throws(DecompressionError) {
    guard receiver != nil else { throw .outputTooLong(expectedByteCount: limit) }
    try handOut()
    let kept = min(windowByteCount, count)
    let dropped = count &- kept
    // SAFETY: both ranges are in the buffer; they may overlap, which memmove allows.
    unsafe base.copyMemory(from: base + dropped, byteCount: kept)
    forgottenCount &+= dropped
    count = kept
    handedOutCount = kept
    checkedCount = kept
  }

  /// Gives the receiver what it has not been given yet.
  mutating func handOut() throws(DecompressionError) {
    updateCheck()
    guard let receiver, handedOutCount < count else { return }
    guard totalCount <= limit else { throw .outputTooLong(expectedByteCount: limit) }
    // SAFETY: `count` bytes from `base` on are initialized, and nothing writes while they are lent.
    let bytes = unsafe UnsafeRawBufferPointer(
      start: base + handedOutCount, count: count &- handedOutCount)
    guard unsafe receiver(bytes.bytes) else { throw .stopped }
    handedOutCount = count
  }

  // Checksums.

  /// Begins a checksum over the output from here on.
  mutating func beginCheck(_ check: OutputCheck) {
    self.check = check
    checkedCount = count
  }

  /// The checksum of the output since it was begun.
  mutating func checkValue() -> UInt64 {
    updateCheck()
    return check.value
  }

  private mutating func updateCheck() {
    guard checkedCount < count else { return }
    // SAFETY: `count` bytes from `base` on are initialized, and nothing writes while they are lent.
    let bytes = unsafe UnsafeRawBufferPointer(
      start: base + checkedCount, count: count &- checkedCount)
    unsafe check.update(bytes.bytes)
    checkedCount = count
  }
}
