/// A segment of a log, an object of its own: entries one behind the other.
///
///     byte  0  mark
///           8  the next segment, as an object reference; 0 of the last one
///          16  bytes of entries
///          24  number of the first entry
///          32  number of entries
///          40  entries: the size of each in bytes, 8; its bytes; up to a multiple of 8
enum LogSegment {
  static let mark: UInt64 = 0x10c5_0000_0000_0000
  static let next: UInt64 = 8
  static let usedByteCount: UInt64 = 16
  static let firstNumber: UInt64 = 24
  static let entryCount: UInt64 = 32
  static let entries: UInt64 = 40

  /// The size of a segment, unless one entry needs more.
  static let byteCount = 16 << 10

  /// What an entry of so many bytes takes.
  static func room(for byteCount: Int) -> UInt64 { 8 + (UInt64(byteCount) + 7) & ~7 }
}
