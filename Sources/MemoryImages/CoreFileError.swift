public import MemoryAccess
internal import Platform
public import SystemPackage

/// Why an ELF core file could not be written. Nothing is left of it then.
@nonexhaustive
public enum CoreFileError: Error, Equatable, Sendable {
  /// A file of that name exists.
  case exists
  /// The file cannot be made: open(2).
  case cannotCreate(Errno)
  /// write(2), or what ends the writing, failed.
  case cannotWrite(Errno)
  /// The finished file could not be given its name: link(2), rename(2).
  case cannotRename(Errno)
  /// The memory to be written could not be read, though it was there when the map was made.
  case cannotRead(PhysicalRange)
  /// The memory is in more pieces than an ELF file describes.
  case tooManySegments(Int)
}

extension CoreFileError: CustomStringConvertible {
  /// One sentence: what went wrong, and what to do about it.
  public var description: String {
    switch self {
    case .exists: "A file of that name exists; choose another, or ask for it to be replaced."
    case .cannotCreate(let error):
      "The file cannot be made (\(error)); check the path and the permissions."
    case .cannotWrite(let error): "The file cannot be written (\(error)); check the space on disk."
    case .cannotRename(let error):
      "The finished file cannot be given its name (\(error)); check the permissions."
    case .cannotRead(let range):
      "The memory \(range) could not be read, though it was there before; try again."
    case .tooManySegments(let count):
      "The memory is in \(count) pieces, more than an ELF file describes."
    }
  }
}

extension CoreFileError {
  /// An error of the output in words of this type.
  init(_ error: OutputFileError) {
    self =
      switch error {
      case .exists, .isInput: .exists
      case .isDirectory: .cannotCreate(.isDirectory)
      case .isLink: .cannotCreate(.tooManySymbolicLinkLevels)
      case .cannotCreate(let errno): .cannotCreate(errno)
      case .cannotWrite(let errno): .cannotWrite(errno)
      case .cannotRename(let errno): .cannotRename(errno)
      }
  }
}
