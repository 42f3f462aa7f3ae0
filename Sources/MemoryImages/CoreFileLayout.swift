internal import MemoryAccess

/// The start of an ELF core file: everything before the memory's bytes.
///
/// Source: elf(5).
struct CoreFileLayout {
  let segments: [CoreSegment]
  let machine: ELFMachine?
  /// The VMCOREINFO as a note; empty for none.
  private let note: [UInt8]

  init(segments: [CoreSegment], machine: ELFMachine?, vmcoreInfo: [UInt8]?) {
    self.segments = segments
    self.machine = machine
    note = vmcoreInfo.map(Self.note) ?? []
  }

  private var headerCount: Int { segments.count &+ (note.isEmpty ? 0 : 1) }
  /// From 65,535 program headers on, their number is in a section header.
  private var isExtended: Bool { headerCount >= Int(ELFHeader.manyProgramHeaders) }
  private var sectionHeaderOffset: UInt64 {
    ELFHeader.byteCount &+ UInt64(headerCount) &* ELFHeader.programHeaderByteCount
  }
  private var noteOffset: UInt64 {
    sectionHeaderOffset &+ (isExtended ? ELFHeader.sectionHeaderByteCount : 0)
  }

  /// Where the memory's bytes begin: at a page.
  var contentOffset: UInt64 { (noteOffset &+ UInt64(note.count) &+ 4095) & ~4095 }

  /// Calls `body` with the bytes from the start of the file on, piece after piece.
  func forEachPiece<Failure: Error>(
    _ body: ([UInt8]) throws(Failure) -> Void
  ) throws(Failure) {
    var piece = header()
    if !note.isEmpty {
      let count = UInt64(note.count)
      piece.appendProgramHeader(
        type: ELFProgramHeader.note, offset: noteOffset, address: 0, stored: count, memory: count)
    }
    var offset = contentOffset
    for segment in segments {
      piece.appendProgramHeader(
        type: ELFProgramHeader.load, offset: segment.storedByteCount == 0 ? 0 : offset,
        address: segment.start.rawValue, stored: segment.storedByteCount,
        memory: segment.byteCount)
      offset &+= segment.storedByteCount
      if piece.count >= 1 << 16 {
        try body(piece)
        piece.removeAll(keepingCapacity: true)
      }
    }
    if isExtended {
      piece += repeatElement(0, count: 44)
      piece.append(littleEndian: UInt32(headerCount))
      piece += repeatElement(0, count: 16)
    }
    try body(piece + note)
  }

  /// `Elf64_Ehdr`.
  private func header() -> [UInt8] {
    var bytes: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9)
    // What a capture leaves out is not zeros, as elf(5) has it: the mark keeps readers from taking it so.
    let mark = ELFHeader.captureMarkOffset
    bytes.replaceSubrange(mark..<mark + ELFHeader.captureMark.count, with: ELFHeader.captureMark)
    let etCore: UInt16 = 4
    bytes.append(littleEndian: etCore)
    bytes.append(littleEndian: machine?.rawValue ?? 0)
    bytes.append(littleEndian: 1 as UInt32)
    bytes.append(littleEndian: 0 as UInt64)
    bytes.append(littleEndian: ELFHeader.byteCount)
    bytes.append(littleEndian: isExtended ? sectionHeaderOffset : 0)
    bytes.append(littleEndian: 0 as UInt32)
    let fields: [UInt16] = [
      UInt16(ELFHeader.byteCount), UInt16(ELFHeader.programHeaderByteCount),
      isExtended ? ELFHeader.manyProgramHeaders : UInt16(headerCount),
      isExtended ? UInt16(ELFHeader.sectionHeaderByteCount) : 0, isExtended ? 1 : 0, 0,
    ]
    for field in fields { bytes.append(littleEndian: field) }
    return bytes
  }

  private static func note(_ content: [UInt8]) -> [UInt8] {
    let name = Array("VMCOREINFO\0".utf8)
    var bytes: [UInt8] = []
    bytes.append(littleEndian: UInt32(name.count))
    bytes.append(littleEndian: UInt32(content.count))
    bytes.append(littleEndian: 0 as UInt32)
    for part in [name, content] {
      bytes += part
      bytes += repeatElement(0, count: (0 &- bytes.count) & 3)
    }
    return bytes
  }
}

extension [UInt8] {
  fileprivate mutating func append(littleEndian value: some FixedWidthInteger) {
    for shift in stride(from: 0, to: value.bitWidth, by: 8) {
      append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }

  /// `Elf64_Phdr`; the address is the physical one.
  fileprivate mutating func appendProgramHeader(
    type: UInt32, offset: UInt64, address: UInt64, stored: UInt64, memory: UInt64
  ) {
    append(littleEndian: type)
    append(littleEndian: 0 as UInt32)
    for field in [offset, 0, address, stored, memory, 0] { append(littleEndian: field) }
  }
}
