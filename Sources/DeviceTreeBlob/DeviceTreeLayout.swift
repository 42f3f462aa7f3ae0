/// Where the blocks of one blob are: the header's claims, checked against the length of the blob.
///
/// Taken once. What is read later is checked against this, never against the header again, whose
/// words may have changed since where the memory is shared.
struct DeviceTreeLayout {
  /// The header the layout came from.
  let header: DeviceTreeHeader
  /// The length of the blob, at most that of the span.
  let totalByteCount: Int
  /// The memory reservation block, without its terminating entry.
  let reservations: Range<Int>
  /// The structure block; of a blob of version 16 everything up to the next block.
  let structure: Range<Int>
  /// The strings block.
  let strings: Range<Int>

  /// Checks header, blocks and memory reservations of the blob at the start of `bytes`.
  init(checking bytes: RawSpan) throws(DeviceTreeError) {
    let header = try DeviceTreeHeader(parsing: bytes)
    guard UInt64(header.totalByteCount) <= UInt64(bytes.byteCount) else {
      throw .truncatedBlob(totalByteCount: header.totalByteCount, offset: bytes.byteCount)
    }
    // Not larger than the span's length, which is an Int.
    let total = Int(truncatingIfNeeded: header.totalByteCount)

    let strings = try Self.block(
      at: header.stringsOffset, byteCount: header.stringsByteCount, alignment: 1,
      field: .stringsOffset, header: header)
    let reservationsStart = try Self.block(
      at: header.reservationsOffset, byteCount: 16, alignment: 8, field: .reservationsOffset,
      header: header)
    let reservations = try Self.reservations(
      from: reservationsStart.lowerBound, to: total, in: bytes)
    // The terminating entry is part of the block.
    let reserved = reservations.lowerBound..<(reservations.upperBound &+ 16)

    let claimed = try Self.block(
      at: header.structureOffset, byteCount: header.structureByteCount ?? 0, alignment: 4,
      field: .structureOffset, header: header)
    var structure = claimed
    if let byteCount = header.structureByteCount {
      guard byteCount & 3 == 0 else {
        throw .misalignedBlock(
          byteCount, offset: DeviceTreeHeader.Field.structureByteCount.rawValue)
      }
    } else {
      var end = total
      if strings.lowerBound > claimed.lowerBound { end = min(end, strings.lowerBound) }
      if reserved.lowerBound > claimed.lowerBound { end = min(end, reserved.lowerBound) }
      // Half a token at the end does not count, and an editor counts the block in words from here on.
      structure = claimed.lowerBound..<(end &- (end &- claimed.lowerBound) % 4)
    }

    guard !strings.overlaps(reserved) else {
      throw .overlappingBlocks(offset: DeviceTreeHeader.Field.stringsOffset.rawValue)
    }
    guard !structure.overlaps(reserved), !structure.overlaps(strings) else {
      throw .overlappingBlocks(offset: DeviceTreeHeader.Field.structureOffset.rawValue)
    }
    self.header = header
    self.totalByteCount = total
    self.reservations = reservations
    self.structure = structure
    self.strings = strings
  }

  /// One block, found inside the blob and behind the header.
  private static func block(
    at start: UInt32, byteCount: UInt32, alignment: UInt32, field: DeviceTreeHeader.Field,
    header: DeviceTreeHeader
  ) throws(DeviceTreeError) -> Range<Int> {
    guard start & (alignment &- 1) == 0 else {
      throw .misalignedBlock(start, offset: field.rawValue)
    }
    guard start <= header.totalByteCount, byteCount <= header.totalByteCount &- start else {
      throw .blockOutOfBounds(start: start, byteCount: byteCount, offset: field.rawValue)
    }
    // An empty strings block may be anywhere.
    guard start >= UInt32(header.ownByteCount) || (byteCount == 0 && alignment == 1) else {
      throw .overlappingBlocks(offset: field.rawValue)
    }
    // Both ends are at most the total size, which is known to be an Int.
    let lower = Int(truncatingIfNeeded: start)
    return lower..<(lower &+ Int(truncatingIfNeeded: byteCount))
  }

  /// The entries up to the one of two zeros.
  private static func reservations(
    from start: Int, to end: Int, in bytes: RawSpan
  ) throws(DeviceTreeError) -> Range<Int> {
    var offset = start
    while offset <= end &- 16,
      let address = bytes.uint64(at: offset),
      let byteCount = bytes.uint64(at: offset &+ 8)
    {
      if address == 0, byteCount == 0 { return start..<offset }
      let first = UInt64(bigEndian: address)
      let length = UInt64(bigEndian: byteCount)
      guard length == 0 || length &- 1 <= UInt64.max &- first else {
        throw .reservationOverflow(offset: offset)
      }
      offset &+= 16
    }
    throw .unterminatedReservations(offset: offset)
  }
}
