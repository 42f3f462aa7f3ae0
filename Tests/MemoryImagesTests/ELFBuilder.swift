/// Builds small ELF core files, sound and unsound ones.
///
/// Order in the file: header, program headers, section header (if needed), notes, segments.
struct ELFBuilder {
  struct Segment {
    var address: UInt64
    var bytes: [UInt8] = []
    /// p_memsz, where it differs from the number of bytes.
    var memoryByteCount: UInt64?
    /// p_offset and p_filesz, where the bytes are not to be placed one segment after the other.
    var place: (offset: UInt64, byteCount: UInt64)?
    var type: UInt32 = 1
  }

  var segments: [Segment] = []
  /// The order in which the segments' bytes are in the file; that of the table if nil.
  var fileOrder: [Int]?
  var notes: [UInt8]?
  var machine: UInt16 = 62
  /// Keeps the number of headers in a section header however small it is (PN_XNUM).
  var usesSectionHeader = false

  var headerCount: Int { segments.count + (notes == nil ? 0 : 1) }
  var isExtended: Bool { usesSectionHeader || headerCount >= 0xffff }
  var headersByteCount: Int { 64 + headerCount * 56 + (isExtended ? 64 : 0) }

  /// Where each segment's bytes are.
  var offsets: [UInt64] {
    var next = UInt64(headersByteCount + (notes?.count ?? 0))
    var offsets = [UInt64](repeating: 0, count: segments.count)
    for index in fileOrder ?? Array(segments.indices) {
      if let place = segments[index].place {
        offsets[index] = place.offset
      } else {
        offsets[index] = next
        next += UInt64(segments[index].bytes.count)
      }
    }
    return offsets
  }

  func built() -> [UInt8] {
    var file: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9)
    file.reserveCapacity(headersByteCount + segments.reduce(0) { $0 + $1.bytes.count })
    let tableEnd = 64 + headerCount * 56
    file.append(4 as UInt16)
    file.append(machine)
    file.append(1 as UInt32)
    file.append(0 as UInt64)
    file.append(64 as UInt64)
    file.append(isExtended ? UInt64(tableEnd) : 0)
    file.append(0 as UInt32)
    file.append(64 as UInt16)
    file.append(56 as UInt16)
    file.append(isExtended ? 0xffff : UInt16(headerCount))
    file.append(isExtended ? 64 : 0 as UInt16)
    file.append(isExtended ? 1 : 0 as UInt16)
    file.append(0 as UInt16)
    if let notes {
      let count = UInt64(notes.count)
      file.appendProgramHeader(
        type: 4, offset: UInt64(headersByteCount), address: 0, stored: count, memory: count)
    }
    let offsets = self.offsets
    for (segment, offset) in zip(segments, offsets) {
      let stored = segment.place?.byteCount ?? UInt64(segment.bytes.count)
      file.appendProgramHeader(
        type: segment.type, offset: offset, address: segment.address, stored: stored,
        memory: segment.memoryByteCount ?? stored)
    }
    if isExtended {
      file += [UInt8](repeating: 0, count: 44)
      file.append(UInt32(headerCount))
      file += [UInt8](repeating: 0, count: 16)
    }
    file += notes ?? []
    for index in fileOrder ?? Array(segments.indices) where segments[index].place == nil {
      file += segments[index].bytes
    }
    return file
  }

  /// One note, padded: elf(5), "Notes (Nhdr)".
  static func note(_ name: String, _ content: String) -> [UInt8] {
    var note: [UInt8] = []
    note.append(UInt32(name.utf8.count + 1))
    note.append(UInt32(content.utf8.count))
    note.append(0 as UInt32)
    note += Array(name.utf8) + [0]
    note += [UInt8](repeating: 0, count: -note.count & 3)
    note += Array(content.utf8)
    note += [UInt8](repeating: 0, count: -note.count & 3)
    return note
  }
}

extension [UInt8] {
  mutating func append<Number: FixedWidthInteger>(_ number: Number) {
    for shift in stride(from: 0, to: Number.bitWidth, by: 8) {
      append(UInt8(truncatingIfNeeded: number >> Number(shift)))
    }
  }

  mutating func replace<Number: FixedWidthInteger>(at offset: Int, with number: Number) {
    var bytes: [UInt8] = []
    bytes.append(number)
    replaceSubrange(offset..<offset + bytes.count, with: bytes)
  }

  fileprivate mutating func appendProgramHeader(
    type: UInt32, offset: UInt64, address: UInt64, stored: UInt64, memory: UInt64
  ) {
    append(type)
    append(6 as UInt32)
    append(offset)
    append(0 as UInt64)
    append(address)
    append(stored)
    append(memory)
    append(4096 as UInt64)
  }
}
