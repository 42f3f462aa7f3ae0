import MemoryImages
import Testing

@Suite struct ELFNoteTests {
  private func pageByteCount(_ notes: [UInt8]?) throws -> Int? {
    var builder = ELFBuilder()
    builder.notes = notes
    builder.segments = [.init(address: 0, bytes: [1])]
    let file = try TemporaryFile(builder.built())
    return try ELFCoreImage(opening: file.path).vmcoreInfoPageByteCount
  }

  private func vmcoreInfo(_ text: String) -> [UInt8] { ELFBuilder.note("VMCOREINFO", text) }

  @Test func pageSizes() throws {
    #expect(try pageByteCount(nil) == nil)
    #expect(try pageByteCount(vmcoreInfo("PAGESIZE=4096\n")) == 4096)
    #expect(try pageByteCount(vmcoreInfo("A=1\nPAGESIZE=65536\nSYMBOL(x)=ff\n")) == 65536)
    #expect(try pageByteCount(vmcoreInfo("PAGESIZE=16384")) == 16384)
    #expect(
      try pageByteCount(ELFBuilder.note("CORE", "PAGESIZE=1024\n") + vmcoreInfo("PAGESIZE=4096\n"))
        == 4096)
  }

  @Test(arguments: [
    "", "PAGESIZE=\n", "PAGESIZE=0\n", "PAGESIZE=-4096\n", "PAGESIZE=4095\n", "PAGESIZE=8\n",
    "PAGESIZE=2097152\n", "PAGESIZE=99999999999999999999\n", "XPAGESIZE=4096\n", "PAGESIZE 4096\n",
    "PAGESIZE=-9223372036854775808\n",
  ])
  func noPageSize(text: String) throws {
    #expect(try pageByteCount(vmcoreInfo(text)) == nil)
  }

  @Test func lengthsThatDoNotFit() throws {
    let sound = vmcoreInfo("PAGESIZE=4096\n")
    for length in 0..<sound.count {
      // The text ends two bytes of padding before the note does.
      #expect(try pageByteCount(Array(sound.prefix(length))) == (length >= 38 ? 4096 : nil))
    }
    for field in [0, 4] {
      for value in [.max, .max - 1, .max - 3, 1 << 31, 100] as [UInt32] {
        var notes = sound
        notes.replace(at: field, with: value)
        #expect(try pageByteCount(notes) == nil)
      }
    }
  }

  @Test func looksNoFurtherThanOneMebibyte() throws {
    let padding = ELFBuilder.note("PAD", String(repeating: "x", count: 1 << 20))
    #expect(try pageByteCount(padding + vmcoreInfo("PAGESIZE=4096\n")) == nil)
    let short = ELFBuilder.note("PAD", String(repeating: "x", count: 1 << 19))
    #expect(try pageByteCount(short + vmcoreInfo("PAGESIZE=4096\n")) == 4096)
    let empty = [UInt8](repeating: 0, count: 12 * 50_000)
    #expect(try pageByteCount(empty + vmcoreInfo("PAGESIZE=4096\n")) == 4096)
  }
}
