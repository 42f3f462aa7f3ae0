import MemoryAccess
import Platform
import ProcessHandover
import SystemPackage
import Testing

@Suite struct MemoryFileRefusalTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func pathsThatAreNoMemory() throws {
    #expect(throws: MemoryFileError.isDirectory) { try MemoryFile.open(folder.path) }
    #expect(throws: MemoryFileError.notRegularFile) { try MemoryFile.open("/dev/null") }
    #expect(throws: MemoryFileError.cannotOpen(.noSuchFileOrDirectory)) {
      try MemoryFile.open(folder.path.appending("none"))
    }
    let empty = try folder.write([], to: "empty")
    #expect(throws: MemoryFileError.emptyFile) { try MemoryFile.open(empty) }
    let fifo = folder.path.appending("fifo")
    #expect(unsafe mkfifo(fifo.string, 0o600) == 0)
    #expect(throws: MemoryFileError.notRegularFile) { try MemoryFile.open(fifo) }
    #expect(try descriptorCount(of: folder.path.string) == 0)
  }

  @Test func whatIsOpenedStaysAsItIs() throws {
    let bytes = (0..<4099).map { UInt8(truncatingIfNeeded: $0) }
    let path = try folder.write(bytes, to: "odd")
    do {
      let file = try MemoryFile.open(path, growableTo: 100_000)
      #expect(file.byteCount == 4099 && file.bytes(in: file.range) == bytes)
      #expect(!file.contains(range(4099, 1)) && file.bytes(in: range(4098, 2)) == nil)
      // Backing takes no byte more than there is.
      try file.back(range(4098, 1))
    }
    #expect(try path.stat().size == 4099)
    let file = try MemoryFile.open(path, growableTo: 100_000)
    try file.grow(to: 8192)
    #expect(file.byteCount == 8192 && file.bytes(in: range(0, 4099)) == bytes)
    #expect(file.bytes(in: range(4099, 4093)) == [UInt8](repeating: 0, count: 4093))
  }

  @Test func placesThatCannotBe() throws {
    for path in ["", "/", "..", folder.path.string] as [String] {
      #expect(throws: MemoryFileError.self, "\(path)") {
        try MemoryFile.create(.path(FilePath(path)), byteCount: 1)
      }
    }
    #expect(throws: MemoryFileError.cannotCreate(.noSuchFileOrDirectory)) {
      try MemoryFile.create(.path(folder.path.appending("none/memory")), byteCount: 1)
    }
    #expect(throws: MemoryFileError.cannotCreate(.invalidArgument)) {
      try MemoryFile.create(
        .memfd(name: String(repeating: "n", count: 250)), byteCount: 1)
    }
    let path = folder.path.appending("large")
    for byteCount in [UInt64.max, 1 << 63] {
      #expect(throws: MemoryFileError.self) {
        try MemoryFile.create(.path(path), byteCount: byteCount)
      }
    }
    #expect(throws: MemoryFileError.cannotMap(byteCount: 1 << 62, .noMemory)) {
      try MemoryFile.create(.path(path), byteCount: 1, growableTo: 1 << 62)
    }
    #expect(try folder.names == [] && descriptorCount(of: folder.path.string) == 0)
  }

  @Test func descriptorsThatAreNoMemory() throws {
    let path = try folder.write([1, 2, 3], to: "memory")
    let empty = try folder.write([], to: "empty")
    let cases: [(FilePath, FileDescriptor.AccessMode, MemoryFileError)] = [
      (path, .readOnly, .notWritable), (path, .writeOnly, .notWritable),
      (empty, .readWrite, .emptyFile), (folder.path, .readOnly, .isDirectory),
      ("/dev/null", .readWrite, .notRegularFile),
    ]
    for (path, mode, error) in cases {
      let descriptor = try FileDescriptor.open(path, mode)
      #expect(throws: error) { try MemoryFile.adopt(descriptor) }
    }
    #expect(throws: MemoryFileError.cannotInspect(.badFileDescriptor)) {
      try MemoryFile.adopt(FileDescriptor(rawValue: -1))
    }
    let file = try MemoryFile.adopt(.open(path, .readWrite))
    #expect(file.path == path && file.byteCount == 3)
    #expect(try descriptorCount(of: folder.path.string) == 1)
  }

  @Test func aDescriptorOfAFileWithoutAName() throws {
    let memfd = try MemoryFile.create(.memfd(name: "adopted"), byteCount: 4096)
    memfd.store(9, at: 0)
    let adopted = try MemoryFile.adopt(memfd.withDescriptor { try $0.duplicate() })
    #expect(adopted.load(0) == 9 && adopted.storage == .memfd && adopted.path == nil)
    #expect(adopted.identity == memfd.identity && adopted.isSealedAgainstShrinking)
  }
}
