/// Bytes of a file that are read by their place in it.
protocol FileBytes {
  /// The size of the file; 2^64 - 1 where it does not say.
  var byteCount: UInt64 { get }

  /// A copy of `count` bytes from `offset` on; fewer, or none, where the file ends earlier.
  func copiedBytes(at offset: UInt64, count: UInt64) -> [UInt8]
}

extension MappedFile: FileBytes {}
