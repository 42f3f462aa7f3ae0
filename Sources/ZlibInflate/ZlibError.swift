/// Why bytes are no zlib stream of the expected length.
public enum ZlibError: Error, Hashable, Sendable {
  /// The two bytes at the start are no zlib header: RFC 1950, section 2.2.
  case headerWrong(UInt16)
  /// The stream was made with a dictionary, which is not in it.
  case dictionaryNeeded
  /// The input ends inside the stream.
  case inputEnds
  /// A block is of type 3, which does not exist.
  case blockTypeWrong
  /// The length of a stored block and its complement do not match.
  case storedLengthWrong
  /// The lengths of a prefix code do not describe one.
  case codeLengthsWrong
  /// The bits at this place are no symbol of the code, or one that is not used.
  case symbolWrong
  /// A match begins before the start of the output.
  case distanceTooFar(Int)
  /// There is more output than expected.
  case outputTooLong(expectedByteCount: Int)
  /// There is less output than expected.
  case outputTooShort(byteCount: Int, expectedByteCount: Int)
  /// The checksum behind the stream is not that of the output.
  case checksumWrong
}
