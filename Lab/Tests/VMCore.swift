import Foundation
import HandoverTestSupport
import KexecHandover
import SystemPackage
import Testing

/// A dump of QEMU's as the kernel presents it in /proc/vmcore, which is what makedumpfile reads: with the kernel's
/// VMCOREINFO, which QEMU adds only for kernels that have its device, and with the kernel's virtual addresses.
struct VMCore {
  private let memory: MemoryImage
  private let writer: CoreFileWriter
  private let kernelBase: UInt64

  /// - Parameters:
  ///   - dump: an ELF file of QEMU's.
  ///   - mebibytes: the size of the RAM. Above it is the firmware's flash.
  ///   - notes: what the guest has in /sys/kernel/vmcoreinfo: the address and the size of the note.
  init(of dump: String, mebibytes: Int, notes: String) throws {
    memory = try MemoryImage.open(FilePath(dump), base: nil)
    let words = notes.split(whereSeparator: \.isWhitespace)
    let start = try #require(UInt64(words[0].dropFirst(2), radix: 16))
    let size = try #require(UInt64(words[1], radix: 16))
    let range = PhysicalRange(start: PhysicalAddress(start), byteCount: size)
    let note = try #require(memory.withBytes(in: range) { $0.copiedBytes() })
    // Three words, the name "VMCOREINFO" in 12 bytes, and the text.
    let byteCount = Int(note[4]) | Int(note[5]) << 8
    let text = Array(note[24..<24 + byteCount])
    let ram = MemoryMap([PhysicalRange(start: .zero, byteCount: UInt64(mebibytes) << 20)])
    let existing = try #require(memory.existingMemory).intersection(ram)
    var writer = CoreFileWriter(existing: existing, stored: existing)
    writer.machine = memory.machine
    writer.vmcoreInfo = text
    self.writer = writer
    let hasFiveLevels = String(decoding: text, as: UTF8.self).contains("pgtable_l5_enabled)=1")
    kernelBase = hasFiveLevels ? 0xff11_0000_0000_0000 : 0xffff_8880_0000_0000
  }

  /// Writes the file.
  func write(to path: String) throws {
    try writer.write(to: FilePath(path), replacing: false, from: memory)
    let file = try FileHandle(forUpdating: URL(filePath: path))
    let headers = try #require(try file.read(upToCount: 64 + 56 * 64))
    // p_vaddr of each PT_LOAD: in the kernel's direct mapping.
    for index in 0..<Int(headers[56]) {
      let offset = 64 + 56 * index
      guard headers[offset] == 1 else { continue }
      let address = (0..<8).reduce(UInt64(0)) {
        $0 | UInt64(headers[offset + 24 + $1]) << UInt64(8 * $1)
      }
      try file.seek(toOffset: UInt64(offset + 16))
      try file.write(
        contentsOf: Data(
          (0..<8).map { UInt8(truncatingIfNeeded: (kernelBase + address) >> UInt64(8 * $0)) }))
    }
    try file.close()
  }
}
