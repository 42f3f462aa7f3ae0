import MemoryAccess

/// The region that leads to everything else of a collection, in bytes from its start.
///
///     0        magic, layout version, key of the hash function, check value
///     64       the control word, and what changes: lists, counts
///     256      a list of slabs with room for each size class
///     4096     pieces that are being allocated       ┐
///     8192     pieces that are to be freed           ├ see `Arena+Transaction.swift`
///     24576    words as they were before the change  ┘
///
/// All words are in the machine's byte order.
enum RootLayout {
  static let magic: UInt64 = 0x5041_4d4f_484b_1a0d
  static let version: UInt64 = 1

  static let byteCount: UInt64 = 24576 + logCapacity * 16

  // MARK: What never changes

  static let magicOffset: UInt64 = 0
  static let versionOffset: UInt64 = 8
  static let hashKeyOffset: UInt64 = 16
  static let checkOffset: UInt64 = 32

  // MARK: What does

  static let control: UInt64 = 64
  static let entryCount: UInt64 = 72
  static let bucketCount: UInt64 = 80
  static let directory: UInt64 = 88
  static let chunkCount: UInt64 = 96
  static let extents: UInt64 = 104
  static let extentsWithRoom: UInt64 = 112
  static let freeExtentCount: UInt64 = 120
  static let largeObjects: UInt64 = 128
  static let storageByteCount: UInt64 = 136
  static let garbageExtents: UInt64 = 144
  static let garbageLargeObjects: UInt64 = 152
  static let garbageDirectory: UInt64 = 160
  static let garbageChunkCount: UInt64 = 168

  static let slabsWithRoom: UInt64 = 256
  static let classLimit = 256

  // MARK: Transactions

  static let pending: UInt64 = 4096
  static let pendingCapacity = 256
  static let doomed: UInt64 = 8192
  static let doomedCapacity = 1024
  static let log: UInt64 = 24576
  static let logCapacity: UInt64 = 16384
}

/// The word that decides what a crash leaves: how many words are to be put back, how many pieces of
/// memory are being allocated, and how many are to be freed.
///
/// One store of it ends a transaction.
struct ControlWord: Equatable {
  var logCount: Int
  var pendingCount: Int
  var doomedCount: Int

  init(logCount: Int = 0, pendingCount: Int = 0, doomedCount: Int = 0) {
    self.logCount = logCount
    self.pendingCount = pendingCount
    self.doomedCount = doomedCount
  }

  init(_ word: UInt64) {
    logCount = Int(word & 0xf_ffff)
    pendingCount = Int(word &>> 20 & 0xf_ffff)
    doomedCount = Int(word &>> 40)
  }

  var word: UInt64 {
    UInt64(truncatingIfNeeded: logCount) | UInt64(truncatingIfNeeded: pendingCount) &<< 20
      | UInt64(truncatingIfNeeded: doomedCount) &<< 40
  }

  /// Whether the counts are ones that a transaction makes.
  var isPossible: Bool {
    logCount <= Int(RootLayout.logCapacity) && pendingCount <= RootLayout.pendingCapacity
      && doomedCount <= RootLayout.doomedCapacity
  }
}
