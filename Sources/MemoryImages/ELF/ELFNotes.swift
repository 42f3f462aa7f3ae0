/// Looks through an ELF file's notes for the page size that a Linux kernel left in its VMCOREINFO, and
/// for notes that say what the file is.
///
/// ```
///  u32 namesz │ u32 descsz │ u32 type │ name, padded to 4 bytes │ desc, padded to 4 bytes
/// ```
///
/// Source: elf(5), "Notes (Nhdr)"; kernel/vmcore_info.c.
struct ELFNoteReader {
  /// How many bytes of notes are looked at, in all segments together: 1 MiB. A VMCOREINFO is a page.
  static let largestByteCount: UInt64 = 1 << 20

  /// The content of the note that gives a page size; if none does, of the first VMCOREINFO.
  private(set) var vmcoreInfo: [UInt8]?
  /// The page size in bytes, if it was found and is one.
  private(set) var pageByteCount: Int?

  /// Whether a note is one that only the core of a process has: NT_PRPSINFO, NT_AUXV, NT_FILE.
  private(set) var isOfProcess = false
  /// Whether a note is one of a Xen hypervisor's crash dump.
  private(set) var isXen = false

  private var byteCountLeft = largestByteCount

  /// Looks through the notes of one PT_NOTE; a note that runs past its end ends the search in it.
  mutating func read(_ entry: ELFProgramHeader, of file: some FileBytes) {
    guard byteCountLeft > 0 else { return }
    let bytes = file.copiedBytes(
      at: entry.fileOffset, count: min(entry.storedByteCount, byteCountLeft))
    byteCountLeft &-= UInt64(bytes.count)
    var rest = bytes[...]
    while let note = Self.takeNote(from: &rest) {
      if note.name.elementsEqual("CORE\0".utf8), [3, 6, 0x4649_4c45].contains(note.type) {
        isOfProcess = true
      }
      // XEN_ELFNOTE_CRASH_INFO and _REGS: Linux, include/xen/interface/elfnote.h.
      if note.name.elementsEqual("Xen\0".utf8), [0x100_0001, 0x100_0002].contains(note.type) {
        isXen = true
      }
      guard pageByteCount == nil, note.name.elementsEqual("VMCOREINFO\0".utf8) else { continue }
      pageByteCount = VMCoreInfo.pageByteCount(in: note.content)
      if pageByteCount != nil || vmcoreInfo == nil { vmcoreInfo = Array(note.content) }
    }
  }

  private static func takeNote(
    from rest: inout ArraySlice<UInt8>
  ) -> (type: UInt32, name: ArraySlice<UInt8>, content: ArraySlice<UInt8>)? {
    guard rest.count >= 12 else { return nil }
    let header = Array(rest.prefix(12))
    guard let nameByteCount = header.littleEndian32(at: 0),
      let contentByteCount = header.littleEndian32(at: 4), let type = header.littleEndian32(at: 8)
    else { return nil }
    rest = rest.dropFirst(12)
    guard let name = takePadded(Int(nameByteCount), from: &rest),
      let content = takePadded(Int(contentByteCount), from: &rest)
    else { return nil }
    return (type, name, content)
  }

  /// Takes `count` bytes and what pads them to a multiple of four; the last padding may be missing.
  private static func takePadded(
    _ count: Int, from rest: inout ArraySlice<UInt8>
  ) -> ArraySlice<UInt8>? {
    guard count <= rest.count else { return nil }
    let taken = rest.prefix(count)
    rest = rest.dropFirst((count &+ 3) & ~3)
    return taken
  }
}
