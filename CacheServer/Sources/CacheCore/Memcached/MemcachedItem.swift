internal import MemcachedProtocol
internal import PersistentCollections
internal import RESP

// An item of the memcached protocol is an entry of the map, in a database of its own:
//
//     key     16 │ the key, up to 250 bytes
//     value   flags, 4 bytes │ CAS number, 8 bytes │ the value         little-endian
//
// Its marks are in the metadata: see EntryMetadata+Cache.swift. So flags, CAS numbers and marks are in the file, and
// survive with the value.

/// A key of the memcached protocol, as the map has it.
struct MemcachedKey {
  private var bytes = InlineArray<256, UInt8>(repeating: 0)
  private var count = 1

  /// - Precondition: the key has at most 250 bytes.
  init(_ key: RawSpan) {
    precondition(key.byteCount <= MemcachedParser.keyByteLimit, "the key is too long")
    bytes[0] = Databases.memcached
    for index in 0..<key.byteCount { bytes[index &+ 1] = key[index] }
    count = key.byteCount &+ 1
  }

  var rawSpan: RawSpan {
    @_lifetime(borrow self)
    get {
      // SAFETY: bytes have no padding.
      unsafe bytes.span.bytes.extracting(0..<count)
    }
  }
}

/// What the value of an item in the map consists of.
enum MemcachedItem {
  static let headerByteCount = 12

  /// The client's flags.
  static func flags(of value: RawSpan) -> UInt32 {
    // SAFETY: the caller has checked that there is a header, and every bit pattern is a number.
    UInt32(littleEndian: unsafe value.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt32.self))
  }

  /// The number that changes with every change of the value.
  static func cas(of value: RawSpan) -> UInt64 {
    // SAFETY: as above.
    UInt64(littleEndian: unsafe value.unsafeLoadUnaligned(fromByteOffset: 4, as: UInt64.self))
  }

  /// The size of the client's value, in bytes, of an item that the map stores as `stored`.
  static func byteCount(of stored: RawSpan, _ metadata: EntryMetadata) -> Int {
    max(
      stored.byteCount - headerByteCount - (metadata.hasChecksum ? ValueChecksum.byteCount : 0), 0)
  }

  /// The client's value.
  @_lifetime(copy value)
  static func data(of value: RawSpan) -> RawSpan {
    value.extracting(headerByteCount..<value.byteCount)
  }

  /// Writes an item whose value consists of two pieces.
  static func write(
    flags: UInt32, cas: UInt64, _ first: RawSpan, _ second: RawSpan,
    to target: inout MutableRawSpan
  ) {
    target.storeBytes(of: flags.littleEndian, toByteOffset: 0, as: UInt32.self)
    target.storeBytes(of: cas.littleEndian, toByteOffset: 4, as: UInt64.self)
    // SAFETY: the target has room for the header and both pieces, as the caller has asked for.
    unsafe target.withUnsafeMutableBytes { target in
      precondition(target.count == headerByteCount + first.byteCount + second.byteCount)
      var offset = headerByteCount
      unsafe first.withUnsafeBytes {
        unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(from: $0)
      }
      offset += first.byteCount
      unsafe second.withUnsafeBytes {
        unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(from: $0)
      }
    }
  }
}

/// The marks of an item, which meta commands set and report.
struct ItemMarks: OptionSet {
  let rawValue: UInt8
  /// It was read since it was stored.
  static let isFetched = ItemMarks(rawValue: 1)
  /// Its value is out of date. Clients can use it until one of them stores another.
  static let isStale = ItemMarks(rawValue: 2)
  /// A client was asked to store another value.
  static let isAwarded = ItemMarks(rawValue: 4)
}

extension EntryMetadata {
  var marks: ItemMarks {
    get { ItemMarks(rawValue: UInt8(truncatingIfNeeded: second >> 56) & 0x3f) }
    set { second = second & ~(0x3f << 56) | UInt64(newValue.rawValue & 0x3f) << 56 }
  }

  /// The metadata with another deadline.
  func with(deadline: UInt64) -> EntryMetadata { EntryMetadata(first: deadline, second: second) }
}

/// An item without its value.
struct ItemFacts {
  var flags: UInt32
  var cas: UInt64
  var deadline: UInt64
  var marks: ItemMarks
  var byteCount: Int
}

/// What the memcached protocol counts, for `stats`; of this process alone.
struct MemcachedFigures: Equatable, Sendable {
  var getCount: UInt64 = 0
  var setCount: UInt64 = 0
  var flushCount: UInt64 = 0
  var touchCount: UInt64 = 0
  var metaCount: UInt64 = 0
  var getHits: UInt64 = 0
  var getMisses: UInt64 = 0
  var deleteHits: UInt64 = 0
  var deleteMisses: UInt64 = 0
  var increaseHits: UInt64 = 0
  var increaseMisses: UInt64 = 0
  var decreaseHits: UInt64 = 0
  var decreaseMisses: UInt64 = 0
  var casHits: UInt64 = 0
  var casMisses: UInt64 = 0
  var casMismatches: UInt64 = 0
  var touchHits: UInt64 = 0
  var touchMisses: UInt64 = 0
  var tooLargeCount: UInt64 = 0
  var noMemoryCount: UInt64 = 0
  var storedCount: UInt64 = 0
  var authenticationCount: UInt64 = 0
  var authenticationErrors: UInt64 = 0
}
