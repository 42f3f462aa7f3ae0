public import MemoryAccess
import PreservedPages

/// Writes records of one size into serialization blocks that were allocated and preserved before.
///
/// What has to be written when nothing may fail any more, at the reboot itself, is written with this:
/// the memory is there from the start. A block is linked once it holds a record, so a reader finds no
/// empty ones, and each record counts once all of it is written.
///
/// Source: `FormatBlocks.md`.
public struct SerializedRecordWriter<Memory: WritablePhysicalMemory>: ~Copyable {
  /// The memory of the blocks.
  public let memory: Memory
  /// The page size.
  public let geometry: PageGeometry
  /// The length of a record in bytes.
  public let recordByteCount: Int
  /// How many records were written.
  public private(set) var recordCount: UInt64 = 0

  /// The blocks, those that hold records first.
  let blocks: [PhysicalAddress]
  /// The same as an item of a change, so that all of them are unpreserved at once and without
  /// taking a frame. Its pages are this process's own.
  let item: HandoverChange.Item

  /// How many records fit in a block of one page.
  static func recordsPerBlock(_ recordByteCount: Int, _ geometry: PageGeometry) -> Int {
    (geometry.pageByteCount &- 16) / recordByteCount
  }

  init(
    recordByteCount: Int, blocks: [PhysicalAddress], item: HandoverChange.Item, in memory: Memory,
    geometry: PageGeometry
  ) {
    self.item = item
    self.recordByteCount = recordByteCount
    self.blocks = blocks
    self.memory = memory
    self.geometry = geometry
  }

  /// How many records can be written in all.
  public var capacity: UInt64 {
    UInt64(blocks.count) &* UInt64(Self.recordsPerBlock(recordByteCount, geometry))
  }

  /// The first block, for the record that points to these; 0 if no record was written.
  public var first: PhysicalAddress { recordCount == 0 ? .zero : blocks[0] }

  /// Writes a record behind the others, with `fill`, which gets its bytes, all zeros.
  ///
  /// - Returns: whether there was room.
  public mutating func append(_ fill: (inout MutableRawSpan) -> Void) -> Bool {
    guard recordCount < capacity else { return false }
    let perBlock = UInt64(Self.recordsPerBlock(recordByteCount, geometry))
    let index = Int(truncatingIfNeeded: recordCount / perBlock)
    let place = recordCount % perBlock
    let block = blocks[index]
    let bytes = PhysicalRange(
      start: block.advanced(byBytes: 16 &+ place &* UInt64(recordByteCount)),
      byteCount: UInt64(recordByteCount))
    memory.withMutableBytes(in: bytes) { fill(&$0) }
    memory.withWords(at: block, count: 2) { $0.publish(place &+ 1, at: 1) }
    if place == 0, index > 0 {
      memory.withWords(at: blocks[index &- 1], count: 2) { $0.publish(block.rawValue, at: 0) }
    }
    recordCount &+= 1
    return true
  }
}

extension OutgoingHandover where Anchor: ~Copyable {
  /// Allocates and preserves serialization blocks for `recordCount` records of `recordByteCount`
  /// bytes, as one change.
  ///
  /// One more frame for each page of addresses is taken until the blocks are freed; it is not
  /// preserved.
  ///
  /// - Throws: ``OutgoingHandoverError/outOfFrames(frameCount:)``;
  ///   ``OutgoingHandoverError/overlapsScratch(_:_:)``; ``OutgoingHandoverError/areaDamaged(_:)`` of
  ///   more blocks than readers accept. All that was allocated is freed then.
  /// - Precondition: a record has at least one byte, and one fits in a page behind the 16 bytes of
  ///   the block's header.
  /// - Complexity: O(blocks · page size).
  public mutating func allocateRecords<Frames: BlockSource & ~Copyable>(
    recordByteCount: Int, recordCount: UInt64, from frames: inout Frames
  ) throws(OutgoingHandoverError) -> SerializedRecordWriter<Memory> {
    require(
      that: recordByteCount > 0 && recordByteCount <= geometry.pageByteCount &- 16,
      "a record that fits in no block")
    let perBlock = UInt64(
      SerializedRecordWriter<Memory>.recordsPerBlock(recordByteCount, geometry))
    let blockCount = recordCount / perBlock &+ (recordCount % perBlock == 0 ? 0 : 1)
    let limit = SerializedRecordCursor<Memory>.blockLimit
    guard blockCount <= UInt64(limit) else { throw .areaDamaged(.chainTooLong(limit: limit)) }
    var blocks: [PhysicalAddress] = []
    var keys = KeyList(in: memory, geometry: geometry)
    do throws(OutgoingHandoverError) {
      while UInt64(blocks.count) < blockCount {
        blocks.append(try allocateBlock(of: &keys, from: &frames))
      }
      var change = HandoverChange()
      change.preserved.append(keys.item)
      try prepare(change, from: &frames)
      commit(change)
    } catch {
      keys.item.giveBackKeys(to: &frames, blocksToo: true, in: memory, geometry: geometry)
      throw error
    }
    return SerializedRecordWriter(
      recordByteCount: recordByteCount, blocks: blocks, item: keys.item, in: memory,
      geometry: geometry)
  }

  private func allocateBlock<Frames: BlockSource & ~Copyable>(
    of keys: inout KeyList<Memory>, from frames: inout Frames
  ) throws(OutgoingHandoverError) -> PhysicalAddress {
    guard let block = frames.takeBlock(.zero) else { throw .outOfFrames(frameCount: 1) }
    do throws(OutgoingHandoverError) {
      try refuseScratch(block)
      try keys.append(block, from: &frames)
    } catch {
      frames.giveBack(block, in: geometry)
      throw error
    }
    memory.clear(block.range(in: geometry))
    return block.address
  }

  /// Unpreserves and frees the blocks of `records`, as one change.
  ///
  /// - Precondition: nothing points to them any more, and their frames came from `frames`.
  public mutating func free<Frames: BlockSource & ~Copyable>(
    _ records: consuming SerializedRecordWriter<Memory>, into frames: inout Frames
  ) {
    let item = records.item
    do throws(OutgoingHandoverError) {
      try unpreserve(item: item)
    } catch {
      Panic.end("records that were freed, or that something points to")
    }
    pruneNodes(of: item, into: &frames)
    item.giveBackKeys(to: &frames, blocksToo: true, in: memory, geometry: geometry)
  }
}
