import KexecHandover
import Testing

/// The device tree of a machine with a forged handover in `/chosen`, as an arm64 kernel reads it.
@Suite struct MachineTreeTests {
  private func handover() throws -> ForgedHandover {
    var description = ForgeDescription()
    description.machine = .arm64
    description.sessions = [
      .init(name: "a", files: [.init(token: 1, contents: .bytes([1, 2, 3]))])
    ]
    return try ForgedHandover(description)
  }

  /// A tree with nodes before and behind `/chosen`.
  private func machine(hasChosen: Bool) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 4096)
    var span = bytes.mutableSpan
    var target = span.rawBytes
    let count = try DeviceTreeWriter.write(into: &target) {
      (writer) throws(DeviceTreeWriterError) in
      try writer.property("compatible", string: "linux,dummy-virt")
      try writer.beginNode("memory@40000000")
      try writer.property("device_type", string: "memory")
      try writer.endNode()
      if hasChosen {
        try writer.beginNode("chosen")
        try writer.property("stdout-path", string: "/pl011@9000000")
        try writer.property("linux,kho-fdt", string: "of another kernel")
        try writer.beginNode("child")
        try writer.property("kept", string: "yes")
        try writer.endNode()
        try writer.endNode()
      }
      try writer.beginNode("psci")
      try writer.property("method", string: "hvc")
      try writer.endNode()
    }
    return Array(bytes[..<count])
  }

  @Test(arguments: [true, false]) func addsTheAddresses(hasChosen: Bool) throws {
    let handover = try handover()
    let edited = try handover.deviceTree(addingTo: try machine(hasChosen: hasChosen))
    try edited.withRawSpan { (bytes) throws in
      let tree = try DeviceTree(validating: bytes)
      #expect(tree.totalByteCount == edited.count)
      let chosen = try #require(try tree.root.child(named: "chosen")?.offset)
      #expect(chosen > 0)
      for (name, range) in [
        ("linux,kho-fdt", handover.deviceTree), ("linux,kho-scratch", handover.scratchArray),
      ] {
        let found = try tree.root.child(named: "chosen")?.property(named: name)?
          .bigEndianUInt64Pair
        #expect(found?.first == range.start.rawValue, "\(name)")
        #expect(found?.second == range.byteCount, "\(name)")
      }
      // Everything else is as it was.
      let kept = try tree.root.child(named: "chosen")?.child(named: "child")?
        .property(named: "kept")?.byteCount
      #expect(kept == (hasChosen ? 4 : nil))
      let path = try tree.root.child(named: "chosen")?.property(named: "stdout-path")?.byteCount
      #expect(path == (hasChosen ? 15 : nil))
      let method = try tree.root.child(named: "psci")?.property(named: "method")?.byteCount
      #expect(method == 4)
      let memory = try tree.root.child(named: "memory@40000000")?
        .property(named: "device_type")?.byteCount
      #expect(memory == 7)
    }
  }

  /// Every cut, and every flipped bit, of a machine's tree: an error or a tree, and no end of the process.
  @Test func hostileTrees() throws {
    let handover = try handover()
    let machine = try machine(hasChosen: true)
    for count in 0..<machine.count {
      #expect(throws: ForgeError.self) {
        try handover.deviceTree(addingTo: Array(machine[..<count]))
      }
    }
    for bit in 0..<(machine.count * 8) {
      var bytes = machine
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      _ = try? handover.deviceTree(addingTo: bytes)
    }
  }
}
