extension DeviceTreeWriter {
  /// Writes a property with these bytes; none are allowed.
  ///
  /// - Throws: ``DeviceTreeWriterError`` of the name, or
  ///   ``DeviceTreeWriterError/propertyAfterChildNode``.
  /// - Complexity: O(*n*) in the lengths of the value and of all names so far.
  @_lifetime(self: copy self)
  public mutating func property(
    _ name: String, bytes: RawSpan
  ) throws(DeviceTreeWriterError) {
    try property(NameBuffer(checking: name), bytes: bytes)
  }

  /// Writes a property without a value, whose presence alone says something.
  ///
  /// - Throws: as ``property(_:bytes:)``.
  @_lifetime(self: copy self)
  public mutating func property(_ name: String) throws(DeviceTreeWriterError) {
    _ = try beginProperty(NameBuffer(checking: name), byteCount: 0)
  }

  /// Writes a property with one string and its terminating NUL.
  ///
  /// - Throws: as ``property(_:bytes:)``, or ``DeviceTreeWriterError/stringContainsNUL(offset:)``.
  @_lifetime(self: copy self)
  public mutating func property(
    _ name: String, string: String
  ) throws(DeviceTreeWriterError) {
    let bytes = string.utf8Span.span
    for offset in bytes.indices where bytes[offset] == 0 {
      throw .stringContainsNUL(offset: offset)
    }
    let start = try beginProperty(NameBuffer(checking: name), byteCount: bytes.count &+ 1)
    guard let start else { return }
    for offset in bytes.indices { memory.store(bytes[offset], at: start &+ offset) }
    memory.store(0 as UInt8, at: start &+ bytes.count)
  }

  @_lifetime(self: copy self)
  mutating func property(
    _ name: NameBuffer, bytes: RawSpan
  ) throws(DeviceTreeWriterError) {
    guard let position = try beginProperty(name, byteCount: bytes.byteCount) else { return }
    for offset in 0..<bytes.byteCount {
      memory.store(bytes.byte(at: offset) ?? 0, at: position &+ offset)
    }
  }

  @_lifetime(self: copy self)
  private mutating func property<Value: FixedWidthInteger & BitwiseCopyable>(
    _ name: String, stored value: Value
  ) throws(DeviceTreeWriterError) {
    let byteCount = MemoryLayout<Value>.size
    guard let position = try beginProperty(NameBuffer(checking: name), byteCount: byteCount)
    else { return }
    memory.store(value, at: position)
  }
}

// Values in the byte order of the machine, as in Kexec HandOver's own trees.

extension DeviceTreeWriter {
  /// Writes a property with a 64-bit integer in the machine's byte order.
  ///
  /// - Throws: as ``property(_:bytes:)``.
  @_lifetime(self: copy self)
  public mutating func property(
    _ name: String, nativeUInt64 value: UInt64
  ) throws(DeviceTreeWriterError) {
    try property(name, stored: value)
  }

  /// Writes a property with a 32-bit integer in the machine's byte order.
  ///
  /// - Throws: as ``property(_:bytes:)``.
  @_lifetime(self: copy self)
  public mutating func property(
    _ name: String, nativeUInt32 value: UInt32
  ) throws(DeviceTreeWriterError) {
    try property(name, stored: value)
  }
}

// Values in big-endian byte order, as in the device trees of machines.

extension DeviceTreeWriter {
  /// Writes a property with a big-endian 64-bit integer.
  ///
  /// - Throws: as ``property(_:bytes:)``.
  @_lifetime(self: copy self)
  public mutating func property(
    _ name: String, bigEndianUInt64 value: UInt64
  ) throws(DeviceTreeWriterError) {
    try property(name, stored: value.bigEndian)
  }

  /// Writes a property with a big-endian 32-bit integer, one cell.
  ///
  /// - Throws: as ``property(_:bytes:)``.
  @_lifetime(self: copy self)
  public mutating func property(
    _ name: String, bigEndianUInt32 value: UInt32
  ) throws(DeviceTreeWriterError) {
    try property(name, stored: value.bigEndian)
  }

  /// Writes a property with two big-endian 64-bit integers, such as an address and a size.
  ///
  /// - Throws: as ``property(_:bytes:)``.
  @_lifetime(self: copy self)
  public mutating func property(
    _ name: String, bigEndianUInt64Pair value: (first: UInt64, second: UInt64)
  ) throws(DeviceTreeWriterError) {
    guard let position = try beginProperty(NameBuffer(checking: name), byteCount: 16)
    else { return }
    memory.store(value.first.bigEndian, at: position)
    memory.store(value.second.bigEndian, at: position &+ 8)
  }
}
