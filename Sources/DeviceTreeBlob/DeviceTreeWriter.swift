/// Writes a flattened device tree into memory of the caller, without any of its own.
///
/// ```
/// while writing   | header | reservations | structure →        ← names, the last one first |
/// finished        | header | reservations | structure | names | zeros where names had been   |
/// ```
///
/// The root is open from the start and closed by ``finish()``. When the memory does not suffice, the
/// writer goes on counting, so that the error says how much does. The first word becomes the magic
/// number last of all: until then the memory holds no blob.
///
/// The layout is that of other writers: version 17, readable from version 16 on, every property name
/// stored once.
///
/// Source: Devicetree Specification v0.4, chapter 5.
public struct DeviceTreeWriter: ~Copyable, ~Escapable {
  var memory: MutableRawSpan
  /// Names already in the memory that may be used again, when a node is inserted into a blob.
  let sharedStrings: Range<Int>
  /// The first byte that may be written.
  let firstOwnByte: Int
  /// Where the structure block starts, in bytes from the memory's start.
  private(set) var structureStart: Int
  /// The length of the structure block so far, written or only counted.
  private(set) var structureByteCount = 0
  /// The length of all new names so far, stored or only counted.
  var newStringsByteCount = 0
  /// The length of the new names that are stored, at the end of the memory.
  var storedStringsByteCount = 0
  /// Nothing fits any more; names may now use all memory.
  var isOutOfRoom = false
  /// A name could not be stored, so it is counted again each time.
  var hasLostNames = false

  private var hasRoot: Bool
  private var openNodeCount = 1
  /// How many nodes must stay open: the root, and a node that the caller closes.
  private var keptNodeCount = 1
  private var followsChild = false
  var bootCPU: UInt32 = 0

  /// A writer of a new blob at the start of `memory`, all of which it may use.
  @_lifetime(&memory)
  public init(into memory: inout MutableRawSpan) {
    self.memory = memory._mutatingExtracting(0..<memory.byteCount)
    self.sharedStrings = 0..<0
    // A name must not be stored in the place of the magic number.
    self.firstOwnByte = 4
    self.structureStart = DeviceTreeHeader.byteCount &+ 16
    self.hasRoot = false
    invalidate()
  }

  /// A writer that only counts, and keeps names in `memory`.
  @_lifetime(&memory)
  init(countingWithNamesIn memory: inout MutableRawSpan) {
    self.memory = memory._mutatingExtracting(0..<memory.byteCount)
    self.sharedStrings = 0..<0
    self.firstOwnByte = 0
    self.structureStart = DeviceTreeHeader.byteCount &+ 16
    self.hasRoot = false
    self.isOutOfRoom = true
  }

  /// A writer of nodes behind the blob of `memory`, which ends at `start` and is not touched.
  @_lifetime(&memory)
  init(behindBlobIn memory: inout MutableRawSpan, at start: Int, sharedStrings: Range<Int>) {
    self.memory = memory._mutatingExtracting(0..<memory.byteCount)
    self.sharedStrings = sharedStrings
    self.firstOwnByte = start
    self.structureStart = start
    self.hasRoot = true
  }

  /// Adds an area of memory that the kernel must not touch to the memory reservation block.
  ///
  /// - Throws: ``DeviceTreeWriterError/reservationAfterContent``,
  ///   ``DeviceTreeWriterError/badReservation``.
  @_lifetime(self: copy self)
  public mutating func reserve(
    address: UInt64, byteCount: UInt64
  ) throws(DeviceTreeWriterError) {
    guard !hasRoot else { throw .reservationAfterContent }
    guard address != 0 || byteCount != 0,
      byteCount == 0 || byteCount &- 1 <= UInt64.max &- address
    else { throw .badReservation }
    guard structureStart < Int(Int32.max) &- 16 else { throw .tooLarge }
    // The entry replaces the terminator, which moves on.
    if !isOutOfRoom, structureStart <= memory.byteCount {
      memory.store(address.bigEndian, at: structureStart &- 16)
      memory.store(byteCount.bigEndian, at: structureStart &- 8)
    }
    structureStart &+= 16
  }

  /// Begins a child of the node that is open.
  ///
  /// - Throws: ``DeviceTreeWriterError`` of the name, or ``DeviceTreeWriterError/tooDeep``.
  @_lifetime(self: copy self)
  public mutating func beginNode(_ name: String) throws(DeviceTreeWriterError) {
    try beginNode(NameBuffer(checking: name))
  }

  /// Ends the node that was begun last.
  ///
  /// - Throws: ``DeviceTreeWriterError/noOpenNode``.
  @_lifetime(self: copy self)
  public mutating func endNode() throws(DeviceTreeWriterError) {
    guard openNodeCount > keptNodeCount else { throw .noOpenNode }
    openNodeCount &-= 1
    followsChild = true
    try appendWord(StructureToken.endNodeWord)
  }

  @_lifetime(self: copy self)
  mutating func beginNode(_ name: NameBuffer) throws(DeviceTreeWriterError) {
    try beginRootIfNeeded()
    guard openNodeCount <= DeviceTree.maximumDepth else { throw .tooDeep }
    openNodeCount &+= 1
    followsChild = false
    try appendWord(StructureToken.beginNodeWord)
    let paddedByteCount = (name.byteCount &+ 4) & ~3
    guard let position = try append(byteCount: paddedByteCount) else { return }
    for index in 0..<paddedByteCount { memory.store(name[index], at: position &+ index) }
  }

  /// Appends a property's token, length and name; gives where its value goes, or nil while only
  /// counting.
  @_lifetime(self: copy self)
  mutating func beginProperty(
    _ name: NameBuffer, byteCount: Int
  ) throws(DeviceTreeWriterError) -> Int? {
    try beginRootIfNeeded()
    guard !followsChild else { throw .propertyAfterChildNode }
    guard byteCount < Int(Int32.max) else { throw .tooLarge }
    let nameReference = try reference(to: name)
    try appendWord(StructureToken.propertyWord)
    try appendWord(UInt32(truncatingIfNeeded: byteCount))
    try appendWord(nameReference)
    let paddedByteCount = (byteCount &+ 3) & ~3
    guard let position = try append(byteCount: paddedByteCount) else { return nil }
    memory.clear((position &+ byteCount)..<(position &+ paddedByteCount))
    return position
  }

  /// Runs `body` with a node open that `body` cannot end.
  @_lifetime(self: copy self)
  mutating func writeNode(
    _ name: NameBuffer, _ body: (inout DeviceTreeWriter) throws(DeviceTreeWriterError) -> Void
  ) throws(DeviceTreeWriterError) {
    try beginNode(name)
    let kept = keptNodeCount
    keptNodeCount = openNodeCount
    try body(&self)
    guard openNodeCount == keptNodeCount else {
      throw .unclosedNodes(count: openNodeCount &- keptNodeCount)
    }
    keptNodeCount = kept
    try endNode()
  }

  @_lifetime(self: copy self)
  private mutating func beginRootIfNeeded() throws(DeviceTreeWriterError) {
    guard !hasRoot else { return }
    hasRoot = true
    if !isOutOfRoom, structureStart <= memory.byteCount {
      memory.clear((structureStart &- 16)..<structureStart)
    }
    try appendWord(StructureToken.beginNodeWord)
    try appendWord(0)
  }

  /// Closes the root and the structure block.
  @_lifetime(self: copy self)
  mutating func endStructure() throws(DeviceTreeWriterError) {
    guard openNodeCount == 1 else { throw .unclosedNodes(count: openNodeCount &- 1) }
    try beginRootIfNeeded()
    try appendWord(StructureToken.endNodeWord)
    try appendWord(StructureToken.endWord)
  }

  /// Makes sure that the memory holds no blob.
  @_lifetime(self: copy self)
  mutating func invalidate() {
    if memory.byteCount >= 4 { memory.storeBigEndian(0, at: 0) }
  }

  /// Counts `byteCount` bytes of structure; gives where they go, or nil when they do not fit.
  @_lifetime(self: copy self)
  private mutating func append(byteCount: Int) throws(DeviceTreeWriterError) -> Int? {
    let start = structureStart &+ structureByteCount
    guard byteCount < Int(Int32.max) &- start else { throw .tooLarge }
    structureByteCount &+= byteCount
    guard !isOutOfRoom, start &+ byteCount <= memory.byteCount &- storedStringsByteCount else {
      isOutOfRoom = true
      return nil
    }
    return start
  }

  @_lifetime(self: copy self)
  private mutating func appendWord(_ word: UInt32) throws(DeviceTreeWriterError) {
    guard let position = try append(byteCount: 4) else { return }
    memory.storeBigEndian(word, at: position)
  }
}
