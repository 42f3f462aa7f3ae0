import MemoryAccess

extension SuperblockError {
  /// What was found and what to do, as it follows `kho: PATH: `.
  package var sentence: String {
    switch self {
    case .tooShort(let byteCount):
      "its \(byteCount) bytes are too few for the superblock of a memory file"
    case .notMemoryFile(let magic):
      "it is not a memory file: its first word is 0x\(String(magic, radix: 16))"
    case .versionUnknown(let version):
      "it is a memory file of layout \(version), which a newer version of this program wrote; this "
        + "one reads layouts 1 and 2"
    case .featuresUnknown(let features):
      "it is a memory file with the features 0x\(String(features, radix: 16)), which a newer version of "
        + "this program wrote; use that version"
    case .pageShiftUnknown(let shift):
      "it is a memory file with pages of 2^\(shift) bytes, which none has"
    case .headerDamaged:
      "the header of its superblock is damaged: the check value does not fit"
    case .selectorDamaged(let word):
      "its superblock is damaged: the word that selects the valid state is "
        + "0x\(String(word, radix: 16))"
    case .stateDamaged:
      "the state in its superblock is damaged: the check value does not fit"
    case .stateImpossible:
      "the state in its superblock has an invalid value"
    case .truncated(let byteCount, let wanted):
      "a part is missing: the memory has \(wanted) bytes, and the file \(byteCount)"
    }
  }
}

extension SuperblockError: CustomStringConvertible {
  /// What was found and where, as a part of a sentence.
  public var description: String { sentence }
}
