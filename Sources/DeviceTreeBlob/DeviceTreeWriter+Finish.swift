extension DeviceTreeWriter {
  /// Closes the root and completes the blob; gives its length, which is also its total size.
  ///
  /// - Throws: ``DeviceTreeWriterError/outOfRoom(byteCountNeeded:)``,
  ///   ``DeviceTreeWriterError/unclosedNodes(count:)`` or ``DeviceTreeWriterError/tooLarge``. The
  ///   memory then holds no blob.
  /// - Complexity: O(*n*) in the length of the blob.
  public consuming func finish() throws(DeviceTreeWriterError) -> Int {
    try endStructure()
    let needed = try byteCountNeeded()
    guard !isOutOfRoom else {
      invalidate()
      throw .outOfRoom(byteCountNeeded: needed)
    }
    resolveNames()
    let strings = structureStart &+ structureByteCount
    let stored = storedStrings
    memory.moveDown(stored, to: strings)
    memory.clear(max(needed, stored.lowerBound)..<stored.upperBound)
    memory.writeHeader(
      totalByteCount: needed, structure: structureStart..<strings, strings: strings..<needed,
      reservations: DeviceTreeHeader.byteCount, bootCPU: bootCPU)
    return needed
  }

  func byteCountNeeded() throws(DeviceTreeWriterError) -> Int {
    // Each term is below 2^31; the sum is compared, not kept, where an Int has 32 bits.
    let sum = UInt64(structureStart &+ structureByteCount) &+ UInt64(newStringsByteCount)
    guard sum < UInt64(Int32.max) else { throw .tooLarge }
    return Int(truncatingIfNeeded: sum)
  }

  /// Writes a blob with `body` and completes it; gives its length in bytes.
  ///
  /// - Throws: what `body` throws, or as ``finish()``. The memory then holds no blob.
  /// - Complexity: O(*n*) in the length of the blob, and in the names for each property.
  public static func write(
    into memory: inout MutableRawSpan,
    _ body: (inout DeviceTreeWriter) throws(DeviceTreeWriterError) -> Void
  ) throws(DeviceTreeWriterError) -> Int {
    var writer = DeviceTreeWriter(into: &memory)
    try body(&writer)
    return try writer.finish()
  }

  /// The exact length in bytes of the blob that `body` writes; nothing is kept of it.
  ///
  /// Uses 1 KiB of stack for the names of properties.
  ///
  /// - Throws: what `body` throws, ``DeviceTreeWriterError/unclosedNodes(count:)``,
  ///   ``DeviceTreeWriterError/tooLarge``, or ``DeviceTreeWriterError/namesOutOfRoom`` when the
  ///   distinct names take more than 1 KiB: then call ``exactByteCount(withNamesIn:_:)``.
  public static func exactByteCount(
    _ body: (inout DeviceTreeWriter) throws(DeviceTreeWriterError) -> Void
  ) throws(DeviceTreeWriterError) -> Int {
    var names = InlineArray<1024, UInt8>(repeating: 0)
    var span = names.mutableSpan
    var memory = span.rawBytes
    return try exactByteCount(withNamesIn: &memory, body)
  }

  /// The exact length in bytes of the blob that `body` writes, with memory for the distinct names
  /// of its properties, each with a NUL.
  ///
  /// - Throws: as ``exactByteCount(_:)``.
  public static func exactByteCount(
    withNamesIn memory: inout MutableRawSpan,
    _ body: (inout DeviceTreeWriter) throws(DeviceTreeWriterError) -> Void
  ) throws(DeviceTreeWriterError) -> Int {
    var writer = DeviceTreeWriter(countingWithNamesIn: &memory)
    try body(&writer)
    try writer.endStructure()
    guard !writer.hasLostNames else { throw .namesOutOfRoom }
    return try writer.byteCountNeeded()
  }
}

extension MutableRawSpan {
  /// Writes a header of version 17, its magic number last, so that a header cut off by a crash is
  /// none.
  @_lifetime(self: copy self)
  mutating func writeHeader(
    totalByteCount: Int, structure: Range<Int>, strings: Range<Int>, reservations: Int,
    bootCPU: UInt32
  ) {
    func word(_ value: Int) -> UInt32 { UInt32(truncatingIfNeeded: value) }
    typealias Field = DeviceTreeHeader.Field
    storeBigEndian(word(totalByteCount), at: Field.totalByteCount.rawValue)
    storeBigEndian(word(structure.lowerBound), at: Field.structureOffset.rawValue)
    storeBigEndian(word(strings.lowerBound), at: Field.stringsOffset.rawValue)
    storeBigEndian(word(reservations), at: Field.reservationsOffset.rawValue)
    storeBigEndian(DeviceTreeHeader.currentVersion, at: Field.version.rawValue)
    storeBigEndian(DeviceTreeHeader.oldestVersion, at: Field.lastCompatibleVersion.rawValue)
    storeBigEndian(bootCPU, at: Field.bootCPU.rawValue)
    storeBigEndian(word(strings.count), at: Field.stringsByteCount.rawValue)
    storeBigEndian(word(structure.count), at: Field.structureByteCount.rawValue)
    storeBigEndian(DeviceTreeHeader.magic, at: Field.magic.rawValue)
  }
}
