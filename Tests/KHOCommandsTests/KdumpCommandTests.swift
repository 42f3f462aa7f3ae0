import Foundation
import HandoverTestSupport
import Testing

/// Compressed dumps are read as the images they were made of.
@Suite struct KdumpCommandTests {
  @Test(arguments: Fixture.all)
  func fixturesReadTheSame(_ fixture: Fixture) throws {
    let folder = try TemporaryFolder()
    let builder = KdumpBuilder(of: try fixture.open())
    let dump = builder.built()
    let plain = try folder.write(dump, "dump")
    let flattened = try folder.write(KdumpBuilder.flattened(dump, seed: 2), "flattened")
    for command in [
      ["inspect", "--json"], ["inspect"], ["check", "--json"], ["pages", "--json"],
    ] {
      let expected = CommandRun(command + [fixture.path])
      for path in [plain, flattened] {
        let run = CommandRun(command + [path])
        #expect(run.status == expected.status)
        #expect(run.output == expected.output)
        #expect(
          run.errors == expected.errors.replacing("\(fixture.path): ", with: "\(path): "))
      }
    }
  }

  @Test func damagedPagesAreTold() throws {
    let folder = try TemporaryFolder()
    var builder = KdumpBuilder(of: try Fixture(name: "linux-7.3-kho-v4").open())
    builder.blocks = []
    var dump = builder.built()
    // The root of the tree, the first page of the dump.
    dump.put(4095, at: builder.descriptorOffset + 8, byteCount: 4)
    let path = try folder.write(dump)
    let run = kho("check", path)
    #expect(run.status == 3)
    #expect(run.text.contains("handover at 0x515000: error"))
    #expect(run.errors.hasPrefix("kho: \(path): "))
    #expect(run.errors.contains("0x514000") && run.errors.contains("4095 bytes"))
  }
}
