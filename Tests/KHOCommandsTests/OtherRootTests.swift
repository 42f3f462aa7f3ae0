import Foundation
import HandoverTestSupport
import KexecHandover
import SystemPackage
import Testing

/// Root device trees in a machine's memory that are not the start of a handover of that machine.
@Suite struct OtherRootTests {
  private struct Inspected: Decodable {
    let handovers: [Handover]
    let otherRoots: [Root]

    struct Handover: Decodable { let fdtAddress: UInt64 }

    struct Root: Decodable, Equatable {
      let fdtAddress: UInt64
      let kind: String
      let machineFdtAddress: UInt64?
    }
  }

  private let folder: TemporaryFolder
  private let patient: Patient

  init() throws {
    folder = try TemporaryFolder()
    patient = try Patient(Fixture(name: "linux-7.3-kho-v4"))
  }

  /// Memory that the fixture does not have.
  private static let free: UInt64 = 0x4000_0000

  private func inspected(_ image: ImageBuilder) throws -> (Inspected, path: String) {
    let path = try folder.write(image.elf(), "image-\(UInt64.random(in: 0...(.max)))")
    return (try kho("inspect", "--json", path).json(), path)
  }

  /// The machine's handover is the only one, and is sound.
  private func expectOnlyTheMachines(_ image: ImageBuilder, _ roots: [Inspected.Root]) throws {
    let (report, path) = try inspected(image)
    #expect(report.handovers.map(\.fdtAddress) == [patient.deviceTree])
    #expect(report.otherRoots == roots)
    let check = kho("check", path)
    #expect(check.status == 0, "\(check.text)")
    let text = kho("inspect", path).text
    for root in roots {
      #expect(text.contains("root device tree at 0x\(String(root.fdtAddress, radix: 16)): "))
    }
  }

  private func isDeviceTree(_ page: [UInt8]) -> Bool {
    page.starts(with: [0xd0, 0x0d, 0xfe, 0xed])
  }

  /// Puts the pages of a file into the page cache: anywhere, here in reverse and not next to each other.
  ///
  /// - Returns: where the root device trees are.
  private func cache(
    _ pages: [[UInt8]], in image: inout ImageBuilder, leavingOut: ([UInt8]) -> Bool = { _ in false }
  ) -> [UInt64] {
    var roots: [UInt64] = []
    for (index, page) in pages.reversed().enumerated() where !leavingOut(page) {
      let address = Self.free + UInt64(index) * 8192
      image.pages[address] = page
      if isDeviceTree(page) { roots.append(address) }
    }
    return roots.sorted()
  }

  /// The pages of a file of a process, without those that are empty.
  private func memoryFile() throws -> [[UInt8]] {
    let path = folder.path("memory")
    var memory = try PreservedMemory(creating: .path(FilePath(path)), byteCount: 1 << 20)
    _ = try memory.makeRegion(named: "text", byteCount: 6000)
    _ = try memory.makeRegion(named: "more", byteCount: 60)
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    return stride(from: 0, to: bytes.count, by: 4096).map { Array(bytes[$0..<$0 + 4096]) }
      .filter { page in page.contains { $0 != 0 } }
  }

  private func oldMemoryFile() throws -> [[UInt8]] {
    let bytes = [UInt8](
      try Data(contentsOf: URL(filePath: Fixture.file("golden/memory-layout-1.pages"))))
    return stride(from: 8, to: bytes.count, by: 8 + 4096).map {
      Array(bytes[$0 + 8..<$0 + 8 + 4096])
    }
  }

  /// A memory file with the mark is recognized, with its superblock in memory and without.
  @Test func memoryFiles() throws {
    let pages = try memoryFile()
    for leavesOutSuperblock in [false, true] {
      var image = patient.image
      let roots = cache(pages, in: &image) {
        leavesOutSuperblock && $0.starts(with: pages[0].prefix(8))
      }
      // The present one, and those that it replaced.
      #expect(roots.count >= 1)
      try expectOnlyTheMachines(
        image, roots.map { .init(fdtAddress: $0, kind: "memory-file", machineFdtAddress: nil) })
    }
  }

  /// A memory file without the mark is recognized by its superblock.
  @Test func oldMemoryFiles() throws {
    let pages = try oldMemoryFile()
    var image = patient.image
    let roots = cache(pages, in: &image)
    let (report, _) = try inspected(image)
    #expect(!roots.isEmpty)
    #expect(
      report.otherRoots.contains { $0.kind == "memory-file" && roots.contains($0.fdtAddress) })
    // A page that the superblock does not name any more is not recognized: it may be the machine's.
    let own = report.handovers.map(\.fdtAddress)
    #expect(own.contains(patient.deviceTree))
    #expect(
      Set(own).union(report.otherRoots.map(\.fdtAddress)) == Set(roots + [patient.deviceTree]))
  }

  /// An image that contains only memory files of processes: that is not damage, and the message says so.
  @Test func onlyMemoryFiles() throws {
    var image = patient.image
    image.pages = [:]
    _ = cache(try memoryFile(), in: &image)
    let path = try folder.write(image.elf(), "only")
    let run = kho("check", path)
    #expect(run.status == 3 && run.errors.contains("of memory files of processes"), "\(run.errors)")
    // The file itself, as raw memory, is read.
    let raw = kho("inspect", "--json", "--base", "0", folder.path("memory"))
    let report: Inspected = try raw.json()
    #expect(report.handovers.count == 1)
  }

  /// A capture in the page cache is a copy; a device tree that was replaced has another blob.
  @Test func copiesAndEarlierOnes() throws {
    var image = patient.image
    let page = try #require(image.pages[patient.deviceTree])
    image.pages[Self.free] = page
    var earlier = page
    let address = try #require(patient.subtrees.first).subtree.address.rawValue
    let place = try #require(
      (0..<4088).first { offset in
        (0..<8).allSatisfy {
          earlier[offset + $0] == UInt8(truncatingIfNeeded: address >> (8 * $0))
        }
      })
    earlier[place + 1] ^= 0x10
    image.pages[Self.free + 8192] = earlier
    try expectOnlyTheMachines(
      image,
      [
        .init(fdtAddress: Self.free, kind: "copy", machineFdtAddress: patient.deviceTree),
        .init(
          fdtAddress: Self.free + 8192, kind: "superseded", machineFdtAddress: patient.deviceTree),
      ])
  }

  /// A handover that does not preserve its own page is reported as damaged: nothing shows that it is a copy.
  @Test func aDamagedOneStays() throws {
    var patient = patient
    patient.flip(patient.deviceTree)
    let (report, path) = try inspected(patient.image)
    #expect(report.handovers.map(\.fdtAddress) == [patient.deviceTree])
    #expect(report.otherRoots.isEmpty)
    #expect(kho("check", path).text.contains("fdt-not-preserved"))
  }
}
