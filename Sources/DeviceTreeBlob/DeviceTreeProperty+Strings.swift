extension DeviceTreeProperty {
  /// The value as one string; nil unless it has exactly one NUL, at its end.
  public var string: DeviceTreeString? {
    @_lifetime(copy self)
    get {
      guard var strings, let first = strings.next(), strings.next() == nil else { return nil }
      return first
    }
  }

  /// The value as a list of strings; nil unless it ends with a NUL.
  ///
  /// Source: Devicetree Specification v0.4, section 2.2.4.2, `<stringlist>`.
  public var strings: DeviceTreeStrings? {
    @_lifetime(copy self)
    get {
      guard bytes.byte(at: byteCount &- 1) == 0 else { return nil }
      return DeviceTreeStrings(bytes)
    }
  }
}

/// The strings of a property, one at a time.
public struct DeviceTreeStrings: ~Escapable {
  private let bytes: RawSpan
  private var offset = 0

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan) {
    self.bytes = bytes
  }

  /// The next string without its NUL; nil after the last.
  ///
  /// - Complexity: O(*n*) in the string's length.
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  public mutating func next() -> DeviceTreeString? {
    let start = offset
    var end = start
    while let byte = bytes.byte(at: end) {
      if byte == 0 {
        offset = end &+ 1
        return DeviceTreeString(bytes.extracting(start..<end))
      }
      end &+= 1
    }
    // Bytes after the last NUL, where the value has changed, are not a string.
    offset = bytes.byteCount
    return nil
  }
}
