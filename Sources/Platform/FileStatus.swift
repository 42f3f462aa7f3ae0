/// What stat(2) reports of a file.
package struct FileStatus: Equatable, Sendable {
  /// The device that stores the file, `st_dev`.
  package let device: UInt64
  /// The file's number on the device, `st_ino`.
  package let inode: UInt64
  /// What the file is.
  package let kind: FileKind
  /// The permission bits, with set-user-ID, set-group-ID and the sticky bit: `st_mode` & 07777.
  package let permissions: UInt32
  /// The user that owns the file, `st_uid`.
  package let ownerID: UInt32
  /// The number of names, `st_nlink`.
  package let linkCount: UInt64
  /// The size in bytes, `st_size`.
  package let byteCount: UInt64

  /// How many bytes of storage the file takes, `st_blocks` · 512.
  package let storedByteCount: UInt64

  init(_ status: stat) {
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    kind = FileKind(mode: status.st_mode)
    permissions = UInt32(status.st_mode) & 0o7777
    ownerID = status.st_uid
    linkCount = UInt64(status.st_nlink)
    byteCount = UInt64(clamping: status.st_size)
    storedByteCount = UInt64(clamping: status.st_blocks) &* 512
  }

  /// Whether both are the same file, whatever its names.
  package func isSameFile(as other: FileStatus) -> Bool {
    device == other.device && inode == other.inode
  }
}

/// What cannot be done to a file any more; raw values from linux/fcntl.h.
package struct FileSeals: OptionSet, Sendable {
  package let rawValue: CInt
  package init(rawValue: CInt) { self.rawValue = rawValue }

  /// F_SEAL_SHRINK.
  package static let shrink = FileSeals(rawValue: 0x2)
  /// F_SEAL_EXEC: the execute permission cannot be changed.
  package static let execute = FileSeals(rawValue: 0x20)
}

/// What a file is, `st_mode` & S_IFMT.
package enum FileKind: Equatable, Sendable {
  case regular, directory, symbolicLink, fifo, socket, characterDevice, blockDevice, other

  init(mode: mode_t) {
    self =
      switch mode & S_IFMT {
      case S_IFREG: .regular
      case S_IFDIR: .directory
      case S_IFLNK: .symbolicLink
      case S_IFIFO: .fifo
      case S_IFSOCK: .socket
      case S_IFCHR: .characterDevice
      case S_IFBLK: .blockDevice
      default: .other
      }
  }
}
