public import SystemPackage

/// Why a store cannot be copied to a disk, or not be restored from there.
@nonexhaustive
public enum DurableCopiesError: Error, Hashable, Sendable {
  /// What a system call reports.
  case system(Errno)
  /// The folder has copies of another store.
  case otherStore
  /// Another process, or another object of this one, makes copies in the folder.
  case inUse
  /// Another process changed the store during each of 8 attempts to copy it.
  case changing
  /// No commit to the folder has ever ended.
  case noCopy
  /// A newer version of this library wrote the folder.
  case unknownLayout(UInt64)
}

extension DurableCopiesError: CustomStringConvertible {
  /// What happened, as a part of a sentence.
  public var description: String {
    switch self {
    case .system(let error): "\(error)"
    case .otherStore: "the folder has copies of another store; use a folder of its own"
    case .inUse: "another process makes copies in the folder"
    case .changing: "another process changed the store each time that it was copied; try again"
    case .noCopy: "the folder has no complete copy"
    case .unknownLayout(let layout):
      "the copies are of layout \(layout), which this version does not read"
    }
  }
}
