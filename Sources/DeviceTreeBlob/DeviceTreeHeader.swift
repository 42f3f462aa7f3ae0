/// The header of a flattened device tree: where its blocks are, as the blob claims.
///
/// Only the first 40 bytes are needed, so a caller can learn ``totalByteCount`` before it has the
/// rest. The claims about blocks are checked by ``DeviceTree/init(validating:)``.
///
/// ```
/// byte  0 magic            4 total size        8 structure offset  12 strings offset
///      16 reservations    20 version          24 last compatible   28 boot CPU
///      32 strings length  36 structure length (from version 17 on)
/// ```
///
/// Source: Devicetree Specification v0.4, section 5.2.
public struct DeviceTreeHeader: Equatable, Sendable {
  /// The first word of every blob.
  public static var magic: UInt32 { 0xd00d_feed }
  /// The length of a version 17 header in bytes.
  public static var byteCount: Int { 40 }
  /// The version that is read and written.
  public static var currentVersion: UInt32 { 17 }
  /// The oldest version that is read; written as the last compatible one.
  public static var oldestVersion: UInt32 { 16 }

  /// The length of the whole blob in bytes, slack included.
  public let totalByteCount: UInt32
  /// Where the structure block starts, in bytes from the blob's start.
  public let structureOffset: UInt32
  /// The length of the structure block in bytes; nil in a blob of version 16, which does not say.
  public let structureByteCount: UInt32?
  /// Where the strings block starts, in bytes from the blob's start.
  public let stringsOffset: UInt32
  /// The length of the strings block in bytes.
  public let stringsByteCount: UInt32
  /// Where the memory reservation block starts, in bytes from the blob's start.
  public let reservationsOffset: UInt32
  /// The version of the format.
  public let version: UInt32
  /// The oldest version whose readers can read the blob.
  public let lastCompatibleVersion: UInt32
  /// The physical id of the CPU that boots.
  public let bootCPU: UInt32

  /// Reads the header at the start of `bytes`.
  ///
  /// - Throws: ``DeviceTreeError/truncatedHeader(offset:)``, ``DeviceTreeError/badMagic(_:offset:)``,
  ///   ``DeviceTreeError/unsupportedVersion(version:lastCompatibleVersion:offset:)`` or
  ///   ``DeviceTreeError/totalSizeTooSmall(_:offset:)``.
  /// - Complexity: O(1).
  public init(parsing bytes: RawSpan) throws(DeviceTreeError) {
    func word(_ field: Field) throws(DeviceTreeError) -> UInt32 {
      guard let word = bytes.bigEndianWord(at: field.rawValue) else {
        throw .truncatedHeader(offset: bytes.byteCount)
      }
      return word
    }
    guard bytes.byteCount >= Self.byteCount else {
      throw .truncatedHeader(offset: bytes.byteCount)
    }
    let magic = try word(.magic)
    guard magic == Self.magic else { throw .badMagic(magic, offset: Field.magic.rawValue) }
    version = try word(.version)
    lastCompatibleVersion = try word(.lastCompatibleVersion)
    guard version >= Self.oldestVersion, lastCompatibleVersion <= Self.currentVersion,
      lastCompatibleVersion <= version
    else {
      throw .unsupportedVersion(
        version: version, lastCompatibleVersion: lastCompatibleVersion,
        offset: Field.version.rawValue)
    }
    totalByteCount = try word(.totalByteCount)
    guard totalByteCount >= UInt32(Self.byteCount) else {
      throw .totalSizeTooSmall(totalByteCount, offset: Field.totalByteCount.rawValue)
    }
    structureOffset = try word(.structureOffset)
    stringsOffset = try word(.stringsOffset)
    stringsByteCount = try word(.stringsByteCount)
    reservationsOffset = try word(.reservationsOffset)
    bootCPU = try word(.bootCPU)
    structureByteCount = version >= 17 ? try word(.structureByteCount) : nil
  }

  /// The length of the header itself: a blob of version 16 lacks the last word.
  var ownByteCount: Int { version >= 17 ? Self.byteCount : Self.byteCount &- 4 }

  /// Where each word is, in bytes.
  enum Field: Int {
    case magic = 0
    case totalByteCount = 4
    case structureOffset = 8
    case stringsOffset = 12
    case reservationsOffset = 16
    case version = 20
    case lastCompatibleVersion = 24
    case bootCPU = 28
    case stringsByteCount = 32
    case structureByteCount = 36
  }
}
