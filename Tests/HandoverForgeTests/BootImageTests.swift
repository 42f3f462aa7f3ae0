import KexecHandover
import Testing

/// The file for `qemu-system-x86_64 -kernel`; that kernels boot from it is shown in the lab.
@Suite struct BootImageTests {
  /// A file with the setup header of a bzImage, and code that can be recognised.
  private func kernel(_ change: (inout [UInt8]) -> Void = { _ in }) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 512 * 3 + 5000)
    func put(_ value: UInt64, _ count: Int, _ offset: Int) {
      for index in 0..<count {
        bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
      }
    }
    put(2, 1, 0x1f1)
    put(0x6a, 1, 0x201)
    put(0x5372_6448, 4, 0x202)
    put(0x20f, 2, 0x206)
    put(1, 1, 0x211)
    put(0x20_0000, 4, 0x230)
    put(1, 1, 0x234)
    put(0x100_0000, 4, 0x260)
    for index in 0..<5000 { bytes[512 * 3 + index] = UInt8(index % 251) }
    change(&bytes)
    return bytes
  }

  private func handover() throws -> ForgedHandover {
    var description = ForgeDescription()
    description.sessions = [
      .init(name: "a", files: [.init(token: 1, contents: .bytes([1, 2, 3]))])
    ]
    return try ForgedHandover(description)
  }

  private func image(_ kernel: [UInt8]) throws -> (BootImage, ForgedHandover) {
    let handover = try handover()
    let image = try BootImage(
      .init(kernel: kernel, initramfs: [UInt8](repeating: 7, count: 10_000), commandLine: "quiet"),
      deviceTree: handover.deviceTree, stored: handover.stored,
      scratchAreas: handover.scratchAreas, memoryByteCount: handover.machineMemory.byteCount)
    return (image, handover)
  }

  @Test func loadedByItsHeaders() throws {
    let kernel = kernel()
    let (image, handover) = try image(kernel)
    var file = [UInt8](repeating: 0, count: Int(image.fileByteCount))
    let missing = image.write(from: handover.memory) { bytes, offset in
      for index in 0..<bytes.byteCount {
        file[Int(offset) + index] = bytes.unsafeByte(index)
      }
    }
    #expect(missing == nil)
    func number(_ offset: Int, _ count: Int = 4) -> Int {
      (0..<count).reduce(0) { $0 | Int(file[offset + $1]) << (8 * $1) }
    }
    #expect(file.starts(with: [0x7f, 0x45, 0x4c, 0x46, 1]))
    // A machine loads the segments as the program headers say.
    var machine: [Int: [UInt8]] = [:]
    var entry: Int?
    var last = 0
    for index in 0..<number(44, 2) {
      let header = number(28) + 32 * index
      let (offset, address, size) = (number(header + 4), number(header + 12), number(header + 16))
      switch number(header) {
      case 1:
        #expect(address >= last, "sorted, without overlap")
        last = address + size
        machine[address] = Array(file[offset..<offset + size])
      case 4:
        #expect(number(offset + 8) == 18)
        entry = number(offset + 16)
      default: Issue.record("a header of another type")
      }
    }
    #expect(entry.map { UInt64($0) } == image.entry.rawValue)
    let scratch = try #require(
      handover.scratchAreas.max { $0.range.byteCount < $1.range.byteCount }
    ).range
    let code = Int(image.kernelAddress.rawValue)
    #expect(scratch.contains(image.kernelAddress) && code % 0x20_0000 == 0)
    #expect(machine[code] == Array(kernel[1536...]))
    for range in handover.stored.ranges {
      #expect(machine[Int(range.start.rawValue)]?.count == Int(range.byteCount))
    }
    // The zero page: header, initramfs, command line, setup data.
    let zeroPage = try #require(machine.values.first { $0.count == 4096 && $0[0x1e8] == 4 })
    func field(_ offset: Int, _ count: Int = 4) -> Int {
      (0..<count).reduce(0) { $0 | Int(zeroPage[offset + $1]) << (8 * $1) }
    }
    #expect(field(0x202) == 0x5372_6448 && field(0x214) == code)
    #expect(machine[field(0x218)] == [UInt8](repeating: 7, count: field(0x21c)))
    #expect(machine[field(0x228)] == Array("quiet".utf8) + [0])
    let setup = try #require(machine[field(0x250, 8)])
    #expect(setup.count == SetupDataRecord.byteCount && setup[8] == 10)
    #expect(
      (0..<8).reduce(0) { $0 | UInt64(setup[16 + $1]) << UInt64(8 * $1) }
        == handover.deviceTree.start.rawValue)
  }

  @Test func kernelsThatCannotBoot() throws {
    let changes: [(inout [UInt8]) -> Void] = [
      { $0.removeLast($0.count - 0x200) }, { $0[0x202] = 0 }, { $0[0x206] = 0x0b },
      { $0[0x211] = 0 }, { $0[0x234] = 0 }, { $0[0x230] = 3 }, { $0[0x1f1] = 200 },
      { $0[0x201] = 0xff }, { $0 = [] },
    ]
    for change in changes {
      #expect(throws: ForgeError.self) { _ = try image(kernel(change)) }
    }
  }

  @Test func noRoom() throws {
    let handover = try handover()
    let contents = BootImage.Contents(kernel: kernel(), initramfs: nil, commandLine: "")
    #expect(try contents.scratchByteCount() >= 0x100_0000 + (64 << 20))
    let small = ScratchArea(
      PhysicalRange(start: PhysicalAddress(0x400_0000), byteCount: 0x100_0000))
    #expect(throws: ForgeError.self) {
      _ = try BootImage(
        contents, deviceTree: handover.deviceTree, stored: handover.stored, scratchAreas: [small],
        memoryByteCount: handover.machineMemory.byteCount)
    }
    #expect(throws: ForgeError.self) {
      _ = try BootImage(
        contents, deviceTree: handover.deviceTree, stored: handover.stored,
        scratchAreas: handover.scratchAreas, memoryByteCount: 8 << 30)
    }
  }

  /// Scratch areas for another machine's memory keep clear of it.
  @Test func scratchForReplay() throws {
    let stored = MemoryMap([
      PhysicalRange(start: PhysicalAddress(0x10_0000), byteCount: 0x8000),
      PhysicalRange(start: PhysicalAddress(0x200_0000), byteCount: 0x1000),
      PhysicalRange(start: PhysicalAddress(0x1000_0000), byteCount: 0x1000),
    ])
    let areas = try [ScratchArea](
      replaying: stored, byteCount: 100 << 20, memoryByteCount: 512 << 20)
    #expect(areas.map(\.range.byteCount) == [100 << 20, 16 << 20])
    for range in stored.ranges { #expect(!areas.overlap(range)) }
    #expect(!areas[0].range.overlaps(areas[1].range))
    for area in areas {
      #expect(area.range.start.rawValue % (4 << 20) == 0 && area.range.start.rawValue >= 16 << 20)
    }
    #expect(throws: ForgeError.noRoom(byteCount: 400 << 20)) {
      _ = try [ScratchArea](replaying: stored, byteCount: 400 << 20, memoryByteCount: 512 << 20)
    }
    #expect(throws: ForgeError.nothingStored) {
      _ = try [ScratchArea](replaying: MemoryMap(), byteCount: 1, memoryByteCount: 1 << 30)
    }
  }
}

extension RawSpan {
  fileprivate func unsafeByte(_ index: Int) -> UInt8 {
    // SAFETY: any byte is a value.
    unsafe unsafeLoad(fromByteOffset: index, as: UInt8.self)
  }
}
