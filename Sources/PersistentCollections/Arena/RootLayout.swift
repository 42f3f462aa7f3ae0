internal import ProcessHandover

/// The region that everything else of a collection is found from, in bytes from its start.
///
///     0        magic, layout version, key of the hash function (2 words), kind, ledger, check value
///     64       number of the collection, types, and what changes: lists, counts
///     256      a list of slabs with room for each size class
///     2304     what the kind of collection adds
///
/// All words are in the machine's byte order. What a change needs to be undone is in the ledger of the
/// memory, not here; in layout 1 it was here.
enum RootLayout {
  static var magic: UInt64 { LedgerLayout.rootMagic }
  static let version: UInt64 = 2
  static var byteCount: UInt64 { LedgerLayout.rootByteCount }
  /// The size of the root in layout 1.
  static let byteCountOfLayout1: UInt64 = 24576 + 16384 * 16

  // MARK: What never changes

  static let magicOffset: UInt64 = 0
  static let versionOffset: UInt64 = 8
  static let hashKeyOffset: UInt64 = 16
  static let kindOffset: UInt64 = 32
  static let ledgerOffset: UInt64 = 40
  static let checkOffset: UInt64 = 48

  // MARK: What does

  static let owner: UInt64 = 64
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
  /// The types of keys and values, 0 where they are not recorded.
  static let keyType: UInt64 = 176
  static let valueType: UInt64 = 184
  /// 1 while the collection is being removed.
  static let isBeingRemoved: UInt64 = 192

  static let slabsWithRoom: UInt64 = 256
  static let classLimit = 256

  // MARK: An ordered map

  /// The tree's root, as an object reference; 0 of an empty one.
  static let treeRoot: UInt64 = 2304
  /// How many levels of nodes are over the leaves.
  static let treeHeight: UInt64 = 2312

  // MARK: A log

  /// The number of the first entry that is there.
  static let logStart: UInt64 = 2304
  /// The number that the next entry gets.
  static let logEnd: UInt64 = 2312
  /// The first and the last segment, as object references; 0 of an empty log.
  static let logFirst: UInt64 = 2320
  static let logLast: UInt64 = 2328

  // MARK: A value, or a counter

  /// The object with the value, as an object reference; the number of a counter.
  static let value: UInt64 = 2304
}

/// What a collection is.
package enum CollectionKind: UInt64, Sendable {
  case map = 1
  case orderedMap = 2
  case log = 3
  case value = 4
  case counter = 5
}
