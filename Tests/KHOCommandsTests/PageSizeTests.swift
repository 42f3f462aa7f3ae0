import HandoverTestSupport
import KexecHandover
import Testing

/// Handovers with pages of every size, made here.
@Suite struct PageSizeTests {
  /// A sound handover in memory of 64 pages from `base` on.
  ///
  ///     device tree │ blob │ two blocks of order 1 │ … │ nodes from page 16 on
  private func handover(
    _ version: ABIVersion, _ geometry: PageGeometry, at base: UInt64
  ) throws -> AnonymousMemory {
    let page = UInt64(geometry.pageByteCount)
    let memory = try AnonymousMemory(
      PhysicalRange(start: PhysicalAddress(base), byteCount: 64 * page))
    let shape = try #require(version.radixGeometry(geometry))
    var frames = FramePool(
      of: PhysicalRange(start: PhysicalAddress(base + 16 * page), byteCount: 48 * page),
      in: memory, geometry: geometry)
    var tree = try RadixTree(in: memory, geometry: shape, from: &frames)
    var keys = [0, 1].map { index in
      RadixKey(PhysicalAddress(base + index * page), order: .zero, in: geometry)
    }
    keys += [2, 4].map { index in
      RadixKey(PhysicalAddress(base + index * page), order: PageOrder(1), in: geometry)
    }
    for key in keys {
      // What kho-v2 does to a key on pages of 16 KiB: the mark of order 0 falls off.
      let dropped = shape.dropsOrderZeroBit && key.rawValue >= shape.keyEnd
      let stored = dropped ? RadixKey(rawValue: key.rawValue & (shape.keyEnd - 1)) : key
      try tree.insert(stored, from: &frames)
    }
    let root = tree.root
    let deviceTree = try deviceTreePage(byteCount: geometry.pageByteCount) {
      writer throws(DeviceTreeWriterError) in
      try writer.property("compatible", string: version.compatible)
      try writer.property("preserved-memory-map", nativeUInt64: root.rawValue)
      try writer.beginNode("blob")
      try writer.property(version.subtreeAddressProperty, nativeUInt64: base + page)
      if let size = version.subtreeSizeProperty { try writer.property(size, nativeUInt64: 100) }
      try writer.endNode()
    }
    memory.withMutableBytes(in: geometry.page(at: PhysicalAddress(base))) { bytes in
      for (offset, byte) in deviceTree.enumerated() {
        bytes.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
      }
    }
    return memory
  }

  @Test(arguments: [12, 14, 16], [ABIVersion.v2, .v3, .v4])
  func deducedFromTheHandover(shift: Int, version: ABIVersion) throws {
    let folder = try TemporaryFolder()
    let geometry = PageGeometry(shift: shift)
    let base: UInt64 = 0x4000_0000
    var image = ImageBuilder(of: try handover(version, geometry, at: base))
    let elf = try folder.write(image.elf(), "elf")
    let raw = try folder.write(image.raw(), "raw")
    // x86-64 has 4 KiB pages only, but a sound handover says more than a header field.
    image.machine = 62
    let other = try folder.write(image.elf(), "other")
    for arguments in [
      [elf], [other], [raw, "--base", "0x40000000"], [elf, "--page-size", "\(1 << (shift - 10))k"],
    ] {
      let run = CommandRun(["inspect", "--json"] + arguments)
      let found = try #require(try run.json(InspectJSON.self).handovers.first)
      #expect(run.status == 0)
      #expect(run.errors == "")
      #expect(found.fdtAddress == base)
      #expect(found.pageShift == shift)
      #expect(found.entryCountByOrder == ["0": 2, "1": 2])
      #expect(found.preservedBytes == 6 << UInt64(shift))
      #expect(found.error == nil)
      #expect(found.subtrees.map(\.isPreserved) == [true])
      let isDropped = version == .v2 && shift == 14
      #expect(found.findings.map(\.code) == (isDropped ? ["order-zero-mark-dropped"] : []))
      #expect(CommandRun(["check"] + arguments).status == 0)
      let plain = CommandRun(["pages", "--format", "plain"] + arguments)
      let page = UInt64(geometry.pageByteCount)
      #expect(
        plain.lines
          == [(0, 0), (1, 0), (2, 1), (4, 1)].map { (index: UInt64, order) in
            "\(String(base + index * page, radix: 16)) \(order)"
          })
    }
  }

  /// Above 2 GiB a key without its mark is also a block of a large order, and only the
  /// addresses that are memory decide which.
  @Test func keysThatCanBeReadAsTwoBlocks() throws {
    let folder = try TemporaryFolder()
    let base: UInt64 = 0x8000_0000
    var image = ImageBuilder(of: try handover(.v2, .pages16KiB, at: base))
    let path = try folder.write(image.elf())
    #expect(kho("check", path).status == 0)
    let sound: InspectJSON = try kho("inspect", "--json", path).json()
    #expect(sound.handovers.first?.entryCountByOrder == ["0": 2, "1": 2])

    image.absent = [(0, base), (base + 64 << 14, 1 << 48)]
    let run = kho("check", "--json", "--page-size", "16K", try folder.write(image.elf(), "huge"))
    #expect(run.status == 1)
    #expect(try run.json(CheckJSON.self).codes.contains("key-ambiguous"))
  }
}

extension PageSizeTests {
  /// Read with too large pages a damaged tree has one error, its root; with its own it has many.
  @Test func damageDoesNotMislead() throws {
    let folder = try TemporaryFolder()
    for machine in [62, 183] as [UInt16] {
      var patient = try Patient(Fixture(name: "linux-7.3-kho-v4"))
      patient.image.machine = machine
      for order in 2...4 {
        let block = try #require(patient.blocks.first { $0.order == PageOrder(order) })
        let slot = try #require(patient.slots(to: block.address.rawValue, order: order).last)
        patient.image.setWord(at: slot, to: 0x123)
      }
      for page in 0..<8 as Range<UInt64> { patient.flip(0x60_0000 + page << 13) }
      let path = try folder.write(patient.image.elf())
      let some: InspectJSON = try kho("inspect", "--json", path).json()
      #expect(some.handovers.map(\.pageShift) == [12])
      #expect(some.handovers.map(\.entryCount) == [462 + 2 + 8])

      // Nothing left of it: 4 KiB, and a note where nothing but custom says so.
      for slot in 0..<512 as Range<UInt64> where patient.image.word(at: patient.map + slot * 8) != 0
      {
        patient.image.setWord(at: patient.map + slot * 8, to: 0x123)
      }
      let run = kho("check", "--json", try folder.write(patient.image.elf()))
      #expect(try run.json(CheckJSON.self).codes.contains("page-size-assumed") == (machine == 183))
      let none: InspectJSON = try kho("inspect", "--json", path).json()
      #expect(none.handovers.map(\.pageShift) == [12])
      #expect(none.handovers.map(\.entryCount) == [0])
    }
  }
}
