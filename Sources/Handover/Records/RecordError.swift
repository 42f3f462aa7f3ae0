public import DeviceTreeBlob
public import MemoryAccess

/// Why a record cannot be read: one case for each rule.
///
/// Source: `FormatBlocks.md`, `FormatRecords.md`, `FormatLiveUpdate.md`.
@nonexhaustive
public enum RecordError: Error, Hashable, Sendable {
  /// Bytes of the record are where nothing can be read.
  case unreadable(PhysicalRange)
  /// A range that is empty or runs past 2^64.
  case rangeImpossible(start: PhysicalAddress, byteCount: UInt64)
  /// The `compatible` of a record, or its version, is unknown.
  case formatUnknown(String)

  // Blobs.

  /// A blob is larger than any that is read.
  case blobTooLarge(byteCount: UInt64, limit: UInt64)
  /// A blob ends inside its record.
  case blobTooShort(byteCount: UInt64, needed: UInt64)
  /// The record's device tree is malformed.
  case deviceTreeMalformed(DeviceTreeError)
  /// A node of the record's device tree is missing.
  case nodeMissing(String)
  /// A property is missing, or has not the size it must have.
  case propertyWrong(String, byteCount: Int?)
  /// The magic number is another.
  case magicWrong(UInt32)

  // Fixed-size records.

  /// A name is empty or has no end; the address is that of the field.
  case textMalformed(PhysicalAddress)
  /// A record says that it has elements, and points to none.
  case elementsMissing(count: UInt64)
  /// A record says that it has more elements than fit in what it points to.
  case elementCountTooLarge(UInt64, capacity: UInt64)
  /// A record says that it has another number of elements than were found.
  case elementCountDiffers(UInt64, found: UInt64)
  /// A word that should name a block names none that can be; the address is that of the word.
  case blockImpossible(UInt64, in: PhysicalAddress)

  /// A folio of a file is not an entry, so neither its size nor whether its content survived is known.
  case folioNotPreserved(PhysicalAddress)
  /// A folio of a file is listed twice.
  case folioRepeated(PhysicalAddress)
  /// A folio of a file is behind the end of the file.
  case folioBeyondEnd(PhysicalAddress, pageIndex: UInt64)
  /// A folio of a file has the place in it, or a part of the place, of another one.
  case folioOutOfOrder(PhysicalAddress, pageIndex: UInt64)

  // Linked pages.

  /// A pointer is not a multiple of the page size; `in` is the address of the pointer, `nil` for a start.
  case pointerUnaligned(PhysicalAddress, in: PhysicalAddress?)
  /// A page that was passed already comes again.
  case chainCycle(PhysicalAddress)
  /// The record has more serialization blocks than Linux accepts.
  case chainTooLong(limit: Int)
  /// A serialization block holds no entries.
  case blockEmpty(PhysicalAddress)
  /// A serialization block says that it holds more entries than fit in a page.
  case blockCountTooLarge(PhysicalAddress, count: UInt64, capacity: UInt64)

  // vmalloc areas.

  /// A vmalloc area has unknown flags.
  case areaFlagsUnknown(UInt16)
  /// A vmalloc area has blocks of an order that no block can have.
  case areaOrderImpossible(UInt16)
  /// A chunk of a vmalloc area names no blocks; Linux writes none like that.
  case chunkEmpty(PhysicalAddress)
  /// A vmalloc area says that it has another number of pages than its chunks hold; where they hold
  /// more, `found` stops at the first block too many.
  case areaPageCountDiffers(UInt32, found: UInt64)
}
