internal import Platform

/// Which file this is, whatever its names: the device and inode that fstat(2) returns.
public struct FileIdentity: Hashable, Sendable {
  /// The device that stores the file, `st_dev`.
  public let device: UInt64
  /// The file's number on the device, `st_ino`.
  public let inode: UInt64
}

extension FileStatus {
  /// Which file it is.
  var identity: FileIdentity { FileIdentity(device: device, inode: inode) }
}
