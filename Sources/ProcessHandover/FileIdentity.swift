/// Which file this is, whatever its names: the device and inode that fstat(2) gives.
public struct FileIdentity: Hashable, Sendable {
  /// The device that the file lies on, `st_dev`.
  public let device: UInt64
  /// The file's number on the device, `st_ino`.
  public let inode: UInt64
}
