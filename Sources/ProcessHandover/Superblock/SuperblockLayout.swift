import MemoryAccess

/// The layout of the first page of a memory file.
///
///     byte    0  magic, layout version, page shift, identity, features, check value
///            64  which slot is valid: one word, the only store that changes it
///           512  slot 0   ┐ size, generation, root pointers, the change that is being made,
///          1024  slot 1   ┘ and a check value over all of it
///
/// A state is written into the slot that is not valid, and becomes valid with one aligned store; so
/// a killed process leaves the old or the new state. Words are in the machine's byte order.
///
/// The header is written once, and once more when the file gets its first feature. Layout 1 has no
/// features; a program that reads only layout 1 refuses layout 2 by its number, and one that does not know
/// a feature refuses the file by the feature's bit.
enum SuperblockLayout {
  /// "KHOMEM" and two bytes that no text has, so that a file copied as text is noticed.
  static let magic: UInt64 = 0x1a0d_4d45_4d4f_484b
  /// The layout of a file without features.
  static let versionWithoutFeatures: UInt64 = 1
  /// The layout of a file with features, and the newest that is read.
  static let version: UInt64 = 2
  /// The feature of a file with a ledger of collections.
  static let ledgerFeature: UInt64 = 1
  /// The features that this version knows.
  static let knownFeatures: UInt64 = ledgerFeature

  // The header, in words.

  static let magicWord = 0
  static let versionWord = 1
  static let pageShiftWord = 2
  static let identityWords = 3..<5
  /// What a program must know to use the file, a bit each.
  static let featuresWord = 5
  static let headerCheckWord = 7
  static let selectorWord = 8

  /// Which slot is valid. Far apart, so that no flipped bit makes one of the other.
  static let selectors: [UInt64] = [0x5a5a_0f0f_3c3c_0001, 0xa5a5_f0f0_c3c3_fffe]

  // A slot, in words from its start.

  static let slotWordCount = 64
  static func slotStart(_ slot: Int) -> Int { 64 &+ slot &* slotWordCount }

  static let sequenceWord = 0
  static let generationWord = 1
  static let byteCountWord = 2
  static let deviceTreeWord = 3
  static let nextDeviceTreeWord = 4
  static let writerWords = 5..<7
  /// 1 while a handover is being built that will take the place of this one; 0 otherwise.
  static let buildingWord = 7
  /// 0 where no change is being made; 1 and the number of items of either kind otherwise.
  static let changeWord = 8
  static let changeDeviceTreeWord = 9
  /// Three words an item, the marked ones first.
  static let itemsWord = 10
  /// The check values of the device trees.
  static let deviceTreeCheckWords = 34..<36
  /// The boot of the kernel under which the file was last opened to be written; 0 if that is unknown.
  static let bootWord = 36
  static let checkWord = slotWordCount &- 1

  /// The number of words of the superblock; all of them are in the smallest page.
  static let wordCount = 64 &+ 2 &* slotWordCount
  /// Its length in bytes.
  static let byteCount = UInt64(wordCount &* 8)
  /// The page shifts that a memory file can have.
  static let pageShifts = 12...16
}
