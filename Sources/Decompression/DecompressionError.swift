/// Why bytes are not a compressed stream, or not one of the expected length.
@nonexhaustive
public enum DecompressionError: Error, Hashable, Sendable {
  // All formats.

  /// The input ends inside the stream.
  case inputEnds
  /// The bytes at the start are not those of the format; the first two, big-endian.
  case headerWrong(UInt16)
  /// The stream was made with a dictionary, which it does not contain.
  case dictionaryNeeded
  /// The lengths or probabilities of a code do not describe one.
  case codeLengthsWrong
  /// The bits at this place are not a symbol of the code, or one that is not used.
  case symbolWrong
  /// A match begins before the start of the output.
  case distanceTooFar(Int)
  /// The output is larger than expected.
  case outputTooLong(expectedByteCount: Int)
  /// The output is smaller than expected.
  case outputTooShort(byteCount: Int, expectedByteCount: Int)
  /// The checksum in the stream is not that of the output.
  case checksumWrong

  // Some formats.

  /// A block or a chunk is of a type that does not exist.
  case blockTypeWrong
  /// The length of a stored block and its complement do not match.
  case storedLengthWrong
  /// A length field contradicts the format or another length.
  case lengthWrong
  /// The stream asks for a window of more bytes than the decoder provides.
  case windowTooLarge(byteCount: UInt64, limit: UInt64)
  /// The bits of a bit stream do not end where its last symbol does.
  case bitsLeft
  /// The stream uses a feature of the format that this decoder does not know.
  case featureUnsupported

  // Streams that are handed out piece by piece.

  /// The receiver of the output wants no more.
  case stopped
}

extension DecompressionError: CustomStringConvertible {
  /// What is wrong, as it follows a colon.
  public var description: String {
    switch self {
    case .inputEnds: "it ends early"
    case .headerWrong(let bytes): "it begins with 0x\(String(bytes, radix: 16))"
    case .dictionaryNeeded: "it needs a dictionary that it does not contain"
    case .codeLengthsWrong: "a code in it is not complete"
    case .symbolWrong: "a symbol in it is not used"
    case .distanceTooFar(let distance):
      "a match in it reaches back \(distance) bytes, before its start"
    case .outputTooLong(let expected): "it gives more than \(expected) bytes"
    case .outputTooShort(let count, let expected): "it gives \(count) bytes instead of \(expected)"
    case .checksumWrong: "its checksum does not match"
    case .blockTypeWrong: "a block in it is of a type that does not exist"
    case .storedLengthWrong: "a length in it and its complement do not match"
    case .lengthWrong: "a length in it is impossible"
    case .windowTooLarge(let byteCount, let limit):
      "it needs \(byteCount) bytes of memory, more than the \(limit) that are provided"
    case .bitsLeft: "bits are left at its end"
    case .featureUnsupported: "it uses a feature that is not known"
    case .stopped: "it was not read to its end"
    }
  }
}
