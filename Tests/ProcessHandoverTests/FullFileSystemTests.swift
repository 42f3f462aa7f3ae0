import Foundation
import HandoverTestSupport
import MemoryAccess
import ProcessHandover
import SystemPackage
import Testing

/// Real file systems without room: a store to what is backed never fails.
@Suite(.namesCombination) struct FullFileSystemTests {
  /// Whether an unprivileged process may mount a file system in a namespace of its own.
  static let canMount: Bool =
    (try? ProcessRun("/usr/bin/unshare", ["-Urm", "mount", "-t", "tmpfs", "none", "/mnt"]).status)
    == 0

  @Test(.enabled(if: canMount, "unshare(1) may not make a mount namespace here"))
  func tmpfsOf4MiB() throws {
    let folder = try TemporaryFolder()
    let script = "mount -t tmpfs -o size=4m,huge=never none \"$2\" && exec \"$1\" fill \"$2\""
    let run = try ProcessRun(
      "/usr/bin/unshare", ["-Urm", "sh", "-c", script, "sh", helperPath, folder.path.string])
    // All of it was used: the last chunk does not fit as a whole, and its pages do.
    #expect(run.output == "\(4 << 20)\ntrue false\n", "\(run.errors)")
    #expect(run.status == 0)
  }

  /// The number of free huge pages of a size.
  static func freePageCount(byteCount: Int) -> Int {
    pageCount("free_hugepages", byteCount: byteCount)
  }

  private static func pageCount(_ name: String, byteCount: Int) -> Int {
    let path = "/sys/kernel/mm/hugepages/hugepages-\(byteCount >> 10)kB/\(name)"
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return 0 }
    return Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
  }

  @Test func hugePagesThatThereAreNot() throws {
    // More than there are in all, even if another process frees some meanwhile.
    let count = Self.pageCount("nr_hugepages", byteCount: 2 << 20) + 1
    let file = try MemoryFile.create(
      .memfd(name: "huge", pages: .huge2MiB), byteCount: UInt64(count) << 21)
    #expect(file.storage == .hugetlbfs(pageByteCount: 2 << 20) && file.isSealedAgainstShrinking)
    #expect(throws: MemoryFileError.outOfSpace) { try file.back(file.range) }
  }

  @Test(
    .enabled(if: freePageCount(byteCount: 2 << 20) >= 4, "no free huge pages of 2 MiB configured"))
  func hugePages() throws {
    let file = try MemoryFile.create(
      .memfd(name: "huge", pages: .huge2MiB), byteCount: 1, growableTo: 64 << 20)
    #expect(file.byteCount == 2 << 20 && file.capacity == 64 << 20)
    try file.back(range(0, 1))
    file.store(7, at: 2 << 20 - 8)
    try file.grow(to: 2 << 20 + 1)
    #expect(file.byteCount == 4 << 20)
    try file.back(range(2 << 20, 8))
    file.store(8, at: 2 << 20)
    let successor = try MemoryFile.adopt(
      file.withDescriptor { try $0.duplicate() }, growableTo: 64 << 20)
    #expect(successor.byteCount == 4 << 20 && successor.load(2 << 20 - 8) == 7)
    #expect(successor.load(2 << 20) == 8)
    try file.release(range(0, 2 << 20))
    try file.back(range(0, 8))
    #expect(successor.load(2 << 20 - 8) == 0)
  }
}
