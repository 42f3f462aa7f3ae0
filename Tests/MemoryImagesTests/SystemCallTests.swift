import HandoverTestSupport
import MemoryAccess
import Platform
import SystemPackage
import Testing

@testable import MemoryImages

/// Every call made to fail in turn: a typed error or a sound answer, and nothing leaked.
@Suite struct SystemCallTests {
  private let bytes = [UInt8](repeating: 1, count: 10_000)

  @Test func failuresOfOpening() throws {
    let cases: [(SystemCall, MemoryImageError)] = [
      (.open, .cannotOpen(.ioError)), (.fstat, .cannotInspect(.ioError)),
      (.mmap, .cannotMap(byteCount: 10_000, .ioError)),
    ]
    let file = try TemporaryFile(bytes)
    for (call, error) in cases {
      let counter = CallWatcher(failing: [call: .ioError])
      counter.watch {
        #expect(throws: error) { try RawImage(opening: file.path, base: .zero) }
      }
      #expect(counter.isBalanced && counter[.open] == (call == .open ? 0 : 1), "\(call)")
    }
  }

  @Test func failuresAfterOpening() throws {
    var builder = ELFBuilder()
    builder.segments = [.init(address: 0, bytes: bytes)]
    let raw = try TemporaryFile(bytes)
    let elf = try TemporaryFile(builder.built())
    for (call, errno) in [
      (SystemCall.seekData, Errno.invalidArgument), (.seekData, .ioError), (.seekHole, .ioError),
      (.madvise, .noMemory),
    ] {
      let counter = CallWatcher(failing: [call: errno])
      try counter.watch {
        for image in [
          try MemoryImage.open(raw.path, base: .zero), try MemoryImage.open(elf.path, base: nil),
        ] {
          // In doubt everything is stored.
          #expect(image.storedRanges() == [range(0, 10_000)], "\(call)")
          image.finishedReading(range(0, 10_000))
          #expect(image.bytes(in: range(0, 10_000)) == bytes, "\(call)")
        }
      }
      #expect(counter.isBalanced && counter[.open] == 2, "\(call)")
    }
  }

  @Test func noDataAtAll() throws {
    let file = try TemporaryFile(bytes)
    try CallWatcher(failing: [.seekData: .noSuchAddressOrDevice]).watch {
      let image = try RawImage(opening: file.path, base: .zero)
      #expect(image.storedRanges() == [])
      #expect(image.bytes(in: range(0, 10_000)) == bytes)
    }
  }

  @Test func everyRefusalGivesBackWhatItTook() throws {
    let refused: [[UInt8]] = [
      [], [0x7f, 0x45, 0x4c, 0x46], Array("KDUMP   ".utf8), Array("makedumpfile".utf8), [1, 2, 3],
      ELFBuilder().built(),
    ]
    for bytes in refused {
      let file = try TemporaryFile(bytes)
      let counter = CallWatcher()
      counter.watch {
        #expect(throws: MemoryImageError.self) { try MemoryImage.open(file.path, base: nil) }
      }
      #expect(counter.isBalanced && counter[.open] == 1)
    }
  }

  @Test func copiesShareOneMapping() throws {
    let file = try TemporaryFile(bytes)
    let counter = CallWatcher()
    try counter.watch {
      var copies = [try MemoryImage.open(file.path, base: .zero)]
      copies += copies
      copies.removeFirst()
      #expect(!counter.isBalanced)
      #expect(copies[0].bytes(in: range(9999, 1)) == [1])
    }
    #expect(counter.isBalanced && counter[.mmap] == 1)
  }
}
