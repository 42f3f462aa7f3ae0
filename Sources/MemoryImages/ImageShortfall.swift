public import Decompression
public import MemoryAccess

/// What a file should hold of a machine's memory, and does not.
public struct ImageShortfall: Hashable, Sendable {
  /// Why it does not.
  @nonexhaustive
  public enum Cause: Hashable, Sendable {
    /// The file ends before the memory that it describes does.
    case fileEnds(fileByteCount: UInt64)
    /// The program that took the dump marked it as incomplete.
    case markedIncomplete
    /// The file is compressed as a whole, and its stream is damaged or ends early.
    case streamDamaged(StreamCompression, DecompressionError)
    /// The file is one of several parts of a dump.
    case isPart(firstPage: UInt64, endPage: UInt64)
  }

  /// Why the memory is missing.
  public let cause: Cause
  /// The first address, in the order of the file, of memory that is missing; nil where it is not known.
  public let firstMissing: PhysicalAddress?
  /// How many bytes of memory are missing; nil where it is not known.
  public let byteCount: UInt64?

  init(_ cause: Cause, firstMissing: PhysicalAddress? = nil, byteCount: UInt64? = nil) {
    self.cause = cause
    self.firstMissing = firstMissing
    self.byteCount = byteCount
  }
}

extension ImageShortfall: CustomStringConvertible {
  /// What is missing and why, without a full stop.
  public var description: String {
    let reason =
      switch cause {
      case .fileEnds(let fileByteCount):
        "the dump is incomplete: the file ends after \(fileByteCount) bytes"
      case .markedIncomplete:
        "the dump is marked as incomplete by the program that took it"
      case .streamDamaged(let compression, .inputEnds):
        "the dump is incomplete: its \(compression) stream ends early"
      case .streamDamaged(let compression, let error):
        "the dump is incomplete: its \(compression) stream is damaged (\(error))"
      case .isPart(let first, let end):
        "the file is one part of a split dump, with pages \(first) up to \(end)"
      }
    guard let firstMissing else { return reason + "; memory is missing" }
    guard let byteCount else { return reason + "; memory is missing from \(firstMissing) on" }
    return reason + "; memory is missing from \(firstMissing) on, \(byteCount) bytes in all"
  }
}
