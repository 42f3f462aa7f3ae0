package import SystemPackage

/// Why an output file cannot be written. What was at its path is still there then.
package enum OutputFileError: Error, Equatable {
  /// It is one of the inputs, under this or another name.
  case isInput
  /// A file exists, and the caller did not ask to replace it.
  case exists
  /// The path is a directory.
  case isDirectory
  /// The path is a symbolic link to a file, or to nothing.
  case isLink
  /// The file cannot be made, or the device not be opened: open(2).
  case cannotCreate(Errno)
  /// write(2), or what ends the writing, failed.
  case cannotWrite(Errno)
  /// The finished file could not be given its name: link(2), rename(2).
  case cannotRename(Errno)
}

extension OutputFileError: CustomStringConvertible {
  /// What happened and what to do, as it follows the path.
  package var description: String {
    switch self {
    case .isInput: "this is an input, which is never written over; choose another name"
    case .exists: "exists already; choose another name, or replace it with --force"
    case .isDirectory: "is a directory; name a file in it"
    case .isLink: "is a symbolic link, which is not followed; name the file that it points to"
    case .cannotCreate(let errno): "cannot be made (\(errno)); check the path and the permissions"
    case .cannotWrite(.noSpace), .cannotWrite(.diskQuotaExceeded):
      "cannot be written: no space is left"
    case .cannotWrite(.fileTooLarge):
      "cannot be written: the limit on the size of files is lower (ulimit -f)"
    case .cannotWrite(let errno): "cannot be written (\(errno))"
    case .cannotRename(let errno):
      "is complete, and cannot be given its name (\(errno)); check the permissions"
    }
  }
}
