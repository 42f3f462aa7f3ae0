// Values in the byte order of the machine, as in Kexec HandOver's own trees.

extension DeviceTreeProperty {
  /// The value as a 64-bit integer in the machine's byte order; nil unless it has 8 bytes.
  public var nativeUInt64: UInt64? {
    byteCount == 8 ? bytes.uint64(at: 0) : nil
  }

  /// The value as a 32-bit integer in the machine's byte order; nil unless it has 4 bytes.
  public var nativeUInt32: UInt32? {
    byteCount == 4 ? bytes.uint32(at: 0) : nil
  }
}
