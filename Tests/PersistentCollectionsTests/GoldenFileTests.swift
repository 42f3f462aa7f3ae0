import HandoverTestSupport
import KexecHandover
import PersistentCollections
import Testing

/// Files that earlier versions wrote.
@Suite struct GoldenFileTests {
  @Test func memoryOfLayout1IsTakenOver() throws {
    var memory = try PreservedMemory(adopting: GoldenFile.open("memory-layout-1"))
    #expect(try memory.names() == ["text", "area", "number"])
    let text = try #require(try memory.region(named: "text"))
    #expect(text.byteCount == 6000)
    memory.withBytes(of: text) { bytes in
      for offset in 0..<6000 {
        #expect(bytes.byte(at: offset) == UInt8(truncatingIfNeeded: offset &* 7))
      }
    }
    let number = try memory.value(named: "number", initially: 0 as UInt64)
    #expect(memory.load(number) == 77)
    #expect(try memory.blocks(ofArea: "area").count == 5)
    // And a collection can be made in it.
    var map = try PersistentMap<String, UInt64>.open(memory, named: "new")
    try map.setValue(5, of: "five")
    #expect(try map.value(of: "five") == 5)
  }

  /// A map of layout 1 is refused by name, and its file is as it was.
  @Test(arguments: ["map-layout-1", "map-layout-1-killed"])
  func mapOfLayout1IsRefused(name: String) throws {
    let file = try GoldenFile.open(name)
    let memory = try PreservedMemory(adopting: file)
    let region = try #require(try memory.region(named: "map"))
    let before = memory.withBytes(of: region) { $0.copiedBytes() }
    do throws(PersistentCollectionError) {
      _ = try PersistentByteMap.open(memory)
      Issue.record("opened")
    } catch {
      #expect(error == .unknownLayout(version: 1))
    }
    #expect(file.withBytes(in: region) { $0.copiedBytes() } == before)
    #expect(try PreservedMemory(adopting: file).names() == ["map"])
  }
}
