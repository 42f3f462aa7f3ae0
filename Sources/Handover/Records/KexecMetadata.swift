public import MemoryAccess

/// What one kernel records about itself for the next.
///
/// ```
/// byte 0 version (u32)   4 release (65 bytes)   69 number of kexecs (u32)
/// ```
///
/// Source: `FormatRecords.md`, kexec-metadata.
public struct KexecMetadata: Hashable, Sendable {
  /// The name of the blob.
  public static var subtreeName: String { "kexec-metadata" }
  package static var byteCount: Int { 73 }

  /// The release of the kernel that wrote it, such as "7.3.4".
  public let previousRelease: String
  /// How many times a kernel was handed over to since the machine was switched on.
  public let kexecCount: UInt32

  /// Reads the record at `address`, a blob of `byteCount` bytes if that is known.
  public init(
    at address: PhysicalAddress, byteCount: UInt64?, in memory: some PhysicalMemory
  ) throws(RecordError) {
    try memory.requireBlob(byteCount, holds: Self.byteCount)
    self = try memory.withRecord(at: address, byteCount: Self.byteCount) {
      (bytes) throws(RecordError) in
      let version = bytes.uint32(atByte: 0) ?? 0
      guard version == 1 else { throw .formatUnknown("version \(version)") }
      guard let release = bytes.text(atByte: 4, byteCount: 65) else {
        throw .textMalformed(PhysicalAddress(address.rawValue &+ 4))
      }
      return KexecMetadata(
        checked: release, kexecCount: bytes.uint32(atByte: 69) ?? 0)
    }
  }

  /// The most bytes of a release's name that are kept.
  public static var largestReleaseByteCount: Int { 64 }

  /// The record of a predecessor.
  ///
  /// - Precondition: the release has 1 to 64 bytes of UTF-8, none of them 0.
  public init(previousRelease: String, kexecCount: UInt32) {
    require(
      that: previousRelease.canBeWritten(atMost: Self.largestReleaseByteCount),
      "a release that cannot be written")
    self.init(checked: previousRelease, kexecCount: kexecCount)
  }

  private init(checked previousRelease: String, kexecCount: UInt32) {
    self.previousRelease = previousRelease
    self.kexecCount = kexecCount
  }
}
