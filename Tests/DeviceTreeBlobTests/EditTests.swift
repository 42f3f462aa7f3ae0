import DeviceTreeBlob
import Testing

@Suite struct EditTests {
  private static func writeChild(
    _ writer: inout DeviceTreeWriter
  ) throws(DeviceTreeWriterError) {
    try writer.property("preserved-data", nativeUInt64: 0x1000)
    try writer.property("new-name", nativeUInt64: 7)
    try writer.beginNode("inside")
    try writer.property("blob-size", nativeUInt32: 9)
    try writer.endNode()
  }

  private static let childLines = [
    "  added/", "    preserved-data=0 10 0 0 0 0 0 0", "    new-name=7 0 0 0 0 0 0 0",
    "    inside/", "      blob-size=9 0 0 0",
  ]

  private func edit(
    _ blob: [UInt8], capacity: Int,
    _ body: (borrowing DeviceTree, inout MutableRawSpan) throws -> Int
  ) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0x5a, count: capacity)
    let count = try withBytes(of: blob) { span in
      let tree = try DeviceTree(validating: span)
      return try withMutableBytes(of: &bytes) { memory in try body(tree, &memory) }
    }
    return Array(bytes[..<count])
  }

  @Test func copiesAddRemoveAndSet() throws {
    let blob = try makeSample()
    let before = try outline(blob)
    let added = try edit(blob, capacity: 4096) { tree, memory in
      try tree.write(into: &memory, addingChild: "added") { writer throws(DeviceTreeWriterError) in
        try Self.writeChild(&writer)
      }
    }
    #expect(try outline(added) == before + Self.childLines)
    let removed = try edit(added, capacity: 4096) { tree, memory in
      try tree.write(into: &memory, removingChild: "added")
    }
    #expect(removed.count == blob.count)
    #expect(try outline(removed) == before)
    let value: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0]
    let set = try edit(blob, capacity: blob.count) { tree, memory in
      // SAFETY: an array is initialised.
      unsafe try tree.write(
        into: &memory, settingProperty: "blob-size", ofChild: "memblock", to: value.span.bytes)
    }
    let expected = before.map {
      $0 == "    blob-size=d6 0 0 0 0 0 0 0" ? "    blob-size=1 0 0 0 0 0 0 0" : $0
    }
    #expect(expected != before)
    #expect(try outline(set) == expected)
  }

  @Test func mistakesOfCopies() throws {
    let blob = try makeSample()
    let offset = try withBytes(of: blob) { span in
      try DeviceTree(validating: span).root.child(named: "memblock")?.offset
    }
    #expect(throws: DeviceTreeEditError.childExists(offset: try #require(offset))) {
      try edit(blob, capacity: 4096) { tree, memory in
        try tree.write(into: &memory, addingChild: "memblock") {
          writer throws(DeviceTreeWriterError) in try Self.writeChild(&writer)
        }
      }
    }
    #expect(throws: DeviceTreeEditError.noSuchChild) {
      try edit(blob, capacity: 4096) { tree, memory in
        try tree.write(into: &memory, removingChild: "inner")
      }
    }
    #expect(throws: DeviceTreeEditError.unwritable(.noOpenNode)) {
      try edit(blob, capacity: 4096) { tree, memory in
        try tree.write(into: &memory, addingChild: "x") { writer throws(DeviceTreeWriterError) in
          try writer.endNode()
        }
      }
    }
    let value: [UInt8] = [1]
    #expect(throws: DeviceTreeEditError.noSuchProperty(offset: 56)) {
      try edit(blob, capacity: 4096) { tree, memory in
        // SAFETY: an array is initialised.
        unsafe try tree.write(into: &memory, settingProperty: "none", to: value.span.bytes)
      }
    }
    #expect(throws: DeviceTreeEditError.wrongByteCount(stored: 7, offset: 64)) {
      try edit(blob, capacity: 4096) { tree, memory in
        // SAFETY: an array is initialised.
        unsafe try tree.write(into: &memory, settingProperty: "compatible", to: value.span.bytes)
      }
    }
    #expect(throws: DeviceTreeEditError.unwritable(.outOfRoom(byteCountNeeded: blob.count))) {
      try edit(blob, capacity: blob.count - 1) { tree, memory in
        // SAFETY: an array is initialised.
        unsafe try tree.write(
          into: &memory, settingProperty: "compatible",
          to: [UInt8](repeating: 0, count: 7).span.bytes)
      }
    }
  }

  @Test func inPlaceAtEveryCapacity() throws {
    let blob = try makeSample()
    let before = try outline(blob)
    let exact = try edit(blob, capacity: 4096) { tree, memory in
      try tree.write(into: &memory, addingChild: "added") { writer throws(DeviceTreeWriterError) in
        try Self.writeChild(&writer)
      }
    }.count
    for capacity in blob.count...(exact + 8) {
      let slack = [UInt8](repeating: 0, count: capacity - blob.count)
      var page = blob + slack
      var failure: DeviceTreeEditError? = nil
      try withMutableBytes(of: &page) { memory in
        var editor = try DeviceTreeEditor(validating: &memory)
        do throws(DeviceTreeEditError) {
          let count = try editor.addChild("added") { writer throws(DeviceTreeWriterError) in
            try Self.writeChild(&writer)
          }
          #expect(count == exact)
        } catch { failure = error }
      }
      if capacity < exact {
        #expect(failure == .unwritable(.outOfRoom(byteCountNeeded: exact)), "capacity \(capacity)")
        #expect(page == blob + slack, "capacity \(capacity)")
      } else {
        #expect(failure == nil)
        #expect(try outline(page) == before + Self.childLines)
        try withMutableBytes(of: &page) { memory in
          var editor = try DeviceTreeEditor(validating: &memory)
          #expect(try editor.removeChild("added") == blob.count + 9)
          #expect(try outline(editor.tree()) == before)
          // The name stayed, so the same child fits again.
          let count = try editor.addChild("added") { writer throws(DeviceTreeWriterError) in
            try Self.writeChild(&writer)
          }
          #expect(count == exact)
          #expect(try outline(editor.tree()) == before + Self.childLines)
          try editor.removeChild("memblock")
          #expect(try editor.tree().root.child(named: "memblock")?.offset == nil)
          let value: [UInt8] = [8, 7, 6, 5, 4, 3, 2, 1]
          // SAFETY: an array is initialised.
          unsafe try editor.setProperty("preserved-memory-map", to: value.span.bytes)
          #expect(
            try editor.tree().root.property(named: "preserved-memory-map")?.nativeUInt64
              == 0x0102_0304_0506_0708)
        }
      }
    }
  }

  @Test func mistakesInPlaceChangeNothing() throws {
    let blob = try makeSample()
    var page = blob + [UInt8](repeating: 0, count: 200)
    let before = page
    try withMutableBytes(of: &page) { memory in
      var editor = try DeviceTreeEditor(validating: &memory)
      #expect(throws: DeviceTreeEditError.unwritable(.unclosedNodes(count: 1))) {
        try editor.addChild("x") { writer throws(DeviceTreeWriterError) in
          try writer.beginNode("y")
        }
      }
      #expect(throws: DeviceTreeEditError.unwritable(.noOpenNode)) {
        try editor.addChild("x") { writer throws(DeviceTreeWriterError) in try writer.endNode() }
      }
      #expect(throws: DeviceTreeEditError.self) {
        try editor.addChild("memblock") { writer throws(DeviceTreeWriterError) in
          try Self.writeChild(&writer)
        }
      }
      #expect(throws: DeviceTreeEditError.noSuchChild) { try editor.removeChild("x") }
      #expect(throws: DeviceTreeEditError.noSuchChild) {
        // SAFETY: an array is initialised.
        unsafe try editor.setProperty("p", ofChild: "x", to: blob.span.bytes)
      }
    }
    #expect(page == before)
  }

  /// Of version 16, whose structure block ends where the next block starts, on whatever byte.
  @Test func aBlobOfVersion16WhoseStringsAreUnaligned() throws {
    let whole = rawBlob(
      structure: [1, 0, 3, 0, 0, 1, 0x6e00_0000, 2, 2, 9], strings: [112, 0], version: 16)
    let strings = whole.count - 2
    var page = Array(whole[..<strings]) + [0xaa, 0xaa] + whole[strings...]
    put(UInt32(page.count), at: 4, in: &page)
    put(UInt32(strings + 2), at: 12, in: &page)
    let before = try outline(page)
    page += [UInt8](repeating: 0, count: 200)
    try withMutableBytes(of: &page) { memory in
      var editor = try DeviceTreeEditor(validating: &memory)
      try editor.addChild("x") { writer throws(DeviceTreeWriterError) in
        try Self.writeChild(&writer)
      }
      try editor.removeChild("x")
    }
    #expect(try outline(page) == before)
  }
}
