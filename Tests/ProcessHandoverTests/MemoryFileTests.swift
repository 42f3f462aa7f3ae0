import HandoverTestSupport
import MemoryAccess
import Platform
import ProcessHandover
import SystemPackage
import Testing

/// The size of every page used here, and more than one chunk of storage.
private let chunk: UInt64 = 2 << 20

func range(_ start: UInt64, _ byteCount: UInt64) -> PhysicalRange {
  PhysicalRange(start: PhysicalAddress(start), byteCount: byteCount)
}

extension MemoryFile {
  func load(_ address: UInt64) -> UInt64 {
    withWords(at: PhysicalAddress(address), count: 1) { $0.load(0) }
  }

  func store(_ value: UInt64, at address: UInt64) {
    withWords(at: PhysicalAddress(address), count: 1) { $0.publish(value, at: 0) }
  }

  /// Where in this process the file begins, to see that it stays there.
  var firstByteAddress: UInt {
    withBytes(in: PhysicalRange(start: .zero, byteCount: 1)) {
      unsafe $0.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
    }
      ?? 0
  }

  func bytes(in range: PhysicalRange) -> [UInt8]? { withBytes(in: range) { $0.copiedBytes() } }
}

@Suite(.namesCombination) struct MemoryFileTests {
  /// A new file in each kind of place, and the same with a path.
  private func withEveryPlace(
    byteCount: UInt64, growableTo capacity: UInt64? = nil, _ body: (MemoryFile) throws -> Void
  ) throws {
    try withCombination("place", "memfd") {
      try body(
        MemoryFile.create(.memfd(name: "test"), byteCount: byteCount, growableTo: capacity))
    }
    for parent in TemporaryFolder.parents {
      try withCombination("place", parent) {
        let folder = try TemporaryFolder(in: parent)
        try body(
          MemoryFile.create(
            .path(folder.path.appending("memory")), byteCount: byteCount, growableTo: capacity))
      }
    }
  }

  @Test func isZerosAndKeepsWhatIsStored() throws {
    try withEveryPlace(byteCount: 3 * 4096 - 5) { file in
      #expect(file.byteCount == 3 * 4096 && file.capacity == 3 * 4096)
      #expect(file.bytes(in: file.range) == [UInt8](repeating: 0, count: 3 * 4096))
      file.store(0x0807_0605_0403_0201, at: 4096)
      file.withMutableBytes(in: range(4097, 1)) {
        $0.storeBytes(of: 0xff, toByteOffset: 0, as: UInt8.self)
      }
      #expect(file.bytes(in: range(4096, 8)) == [1, 0xff, 3, 4, 5, 6, 7, 8])
      #expect(file.contains(range(0, 3 * 4096)) && !file.contains(range(1, 3 * 4096)))
      #expect(file.bytes(in: range(3 * 4096, 1)) == nil && file.bytes(in: range(.max, 1)) == nil)
      #expect(file.storedRange(atOrAfter: PhysicalAddress(3 * 4096)) == nil)
    }
  }

  @Test func growsInPlace() throws {
    try withEveryPlace(byteCount: 4096, growableTo: 8 * chunk) { file in
      file.store(7, at: 8)
      let before = file.firstByteAddress
      for byteCount in [4097, 20480, chunk, 3 * chunk, 3 * chunk - 1, 8 * chunk] as [UInt64] {
        let expected = max(file.byteCount, (byteCount + 4095) & ~4095)
        try file.grow(to: byteCount)
        try #require(file.byteCount == expected)
        try #require(file.load(file.byteCount - 8) == 0 && file.load(8) == 7)
        file.store(byteCount, at: file.byteCount - 16)
      }
      #expect(before == file.firstByteAddress && file.load(5 * 4096 - 16) == 5 * 4096)
      for byteCount in [8 * chunk + 1, UInt64.max] {
        #expect(
          throws: MemoryFileError.beyondCapacity(byteCount: byteCount, capacity: 8 * chunk)
        ) { try file.grow(to: byteCount) }
      }
    }
  }

  @Test func isSparseUntilItIsBacked() throws {
    try withEveryPlace(byteCount: 4 * chunk + 4096, growableTo: 8 * chunk) { file in
      try #require(file.storedRange(atOrAfter: .zero) == nil)
      file.store(1, at: chunk)
      let stored = try #require(file.storedRange(atOrAfter: .zero))
      #expect(stored == range(chunk, 4096))
      #expect(file.storedRange(atOrAfter: PhysicalAddress(chunk + 8)) == range(chunk + 8, 4088))
      func blocks() throws -> Int {
        try file.withDescriptor { Int(try $0.stat().blocksAllocated) * 512 }
      }
      let sparse = try blocks()
      #expect(sparse < Int(chunk))
      try file.back(range(chunk - 8, 16))
      #expect(try blocks() >= Int(2 * chunk) && file.load(chunk) == 1)
      try file.back(range(4 * chunk, 4096))
      try file.back(range(4 * chunk, 0))
      #expect(try blocks() < Int(3 * chunk))
      // The last chunk was backed as far as it existed.
      try file.grow(to: 6 * chunk)
      try file.back(range(5 * chunk - 4096, 4096))
      #expect(try blocks() >= Int(3 * chunk))
      try file.release(range(0, 2 * chunk))
      #expect(try blocks() < Int(2 * chunk) && file.load(chunk) == 0)
      try file.back(range(0, 1))
      #expect(try blocks() >= Int(2 * chunk))
      try file.synchronize(range(chunk + 1, 3 * chunk))
      try file.synchronize(range(0, 0))
    }
  }

  @Test func isFoundAtItsPathOncePublished() throws {
    for parent in TemporaryFolder.parents {
      try withCombination("parent", parent) {
        let folder = try TemporaryFolder(in: parent)
        let path = folder.path.appending("memory")
        do {
          let dropped = try MemoryFile.create(.path(path), byteCount: chunk)
          dropped.store(3, at: 8)
          #expect(dropped.path == nil && folder.names == [])
        }
        #expect(try folder.names == [] && descriptorCount(of: folder.path.string) == 0)
        let file = try MemoryFile.create(.path(path), byteCount: 4096)
        let late = try MemoryFile.create(.path(path), byteCount: 4096)
        file.store(5, at: 4088)
        try file.publish()
        try file.publish()
        #expect(file.path == path && folder.names == ["memory"])
        #expect(try path.stat().permissions == .ownerReadWrite)
        #expect(throws: MemoryFileError.alreadyExists) { try late.publish() }
        #expect(throws: MemoryFileError.alreadyExists) {
          try MemoryFile.create(.path(path), byteCount: 4096)
        }
        let again = try MemoryFile.open(path)
        #expect(again.load(4088) == 5 && again.identity == file.identity && again.path == path)
        #expect(!again.isSealedAgainstShrinking && again.storage == file.storage)
      }
    }
  }

  @Test func twoObjectsOfOneFile() throws {
    let folder = try TemporaryFolder()
    let path = folder.path.appending("memory")
    let first = try MemoryFile.create(.path(path), byteCount: 4096, growableTo: 4 * chunk)
    try first.publish()
    let second = try MemoryFile.open(path, growableTo: 2 * chunk)
    let narrow = try MemoryFile.open(path)
    first.store(11, at: 64)
    #expect(second.load(64) == 11)
    try first.grow(to: chunk)
    first.store(12, at: chunk - 8)
    #expect(second.byteCount == 4096)
    try second.noticeGrowth()
    #expect(second.byteCount == chunk && second.load(chunk - 8) == 12)
    // To grow to less than there is must not cut anything off.
    try first.grow(to: 3 * chunk)
    try second.grow(to: 2 * chunk)
    #expect(try second.byteCount == 2 * chunk && MemoryFile.open(path).byteCount == 3 * chunk)
    try narrow.noticeGrowth()
    #expect(narrow.byteCount == 4096)
    #expect(
      throws: MemoryFileError.beyondCapacity(byteCount: 3 * chunk, capacity: 4096)
    ) { try MemoryFile.open(path, growableTo: 4096) }
  }

  @Test func storages() throws {
    let memfd = try MemoryFile.create(.memfd(name: "kind"), byteCount: 1)
    #expect(memfd.storage == .memfd && memfd.isSealedAgainstShrinking && memfd.path == nil)
    #expect(ftruncate(memfd.withDescriptor { $0.rawValue }, 0) == -1 && errno == EPERM)
    try memfd.publish()
    #expect(memfd.path == nil)
    // /dev/shm is a tmpfs on every Linux that has one, shm_overview(7).
    for parent in TemporaryFolder.parents where parent == "/dev/shm" {
      let folder = try TemporaryFolder(in: parent)
      let file = try MemoryFile.create(.path(folder.path.appending("a")), byteCount: 1)
      #expect(file.storage == .tmpfs && !file.isSealedAgainstShrinking)
    }
  }
}
