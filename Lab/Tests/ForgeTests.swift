import Foundation
import Testing

extension RealLinuxTests {
  /// Linux as the successor of a kernel that never was.
  @Suite struct ForgeTests {
    private static let kho = Lab.programs.appending(path: "kho").path

    private func sum(_ path: String) throws -> String {
      try String(Run("/usr/bin/sha256sum", [path]).text.prefix(64))
    }

    private func random(_ byteCount: Int, _ path: String, in folder: TemporaryFolder) throws {
      let url = folder.url.appending(path: path)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      var generator = SystemRandomNumberGenerator()
      var bytes = Data(capacity: byteCount)
      while bytes.count < byteCount { bytes.append(UInt8.random(in: 0...255, using: &generator)) }
      try bytes.write(to: url)
    }

    private static let description = """
      {"metadata": {"release": "forged-by-kho", "count": 41}, "liveUpdate": 42,
       "sessions": [{"name": "vm", "files": [
         {"token": 1, "file": "one", "position": 4711},
         {"token": 2, "file": "two", "folioOrder": 9},
         {"token": 3, "file": "three", "folioOrder": 3}]},
         {"name": "empty one"}],
       "reserveMem": [{"name": "forged", "size": "1M", "file": "region"}],
       "test": {"orders": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 0, 3, 1, 5], "wrongSum": WRONG}}
      """

    private func described(
      wrongSum: Bool, in folder: TemporaryFolder
    ) throws -> URL {
      for (size, name) in [(300_001, "one"), (2 << 20, "two"), (5, "three"), (1 << 20, "region")] {
        try random(size, name, in: folder)
      }
      let file = folder.url.appending(path: "description.json")
      try Self.description.replacing("WRONG", with: "\(wrongSum)")
        .write(to: file, atomically: true, encoding: .utf8)
      return file
    }

    @Test func everythingComesBack() throws {
      let folder = try TemporaryFolder()
      let file = try described(wrongSum: false, in: folder)
      let guest = try Guest.booted(
        by: ["forge", file.path], in: folder, adding: "reserve_mem=1M:4096:forged")
      for line in [
        "KHO: found kexec handover data", "KHO: exec from: forged-by-kho (count 41)",
        "luo: Retrieved live update data, liveupdate number: 42", "test_kho: KHO restore succeeded",
        "Revived memory reservation",
      ] {
        try guest.expect(line)
      }
      // Positions and sizes as described; the bytes as another program sums them.
      let files = try guest.run("LabGuest retrieve vm 1 2 3").lines
      #expect(files[0].hasPrefix("token 1 size 300001 position 4711"))
      #expect(files[1].hasPrefix("token 2 size 2097152 position 0"))
      #expect(files[2].hasPrefix("token 3 size 5 position 0"))
      for (token, name) in [(1, "one"), (2, "two"), (3, "three")] {
        let found = try guest.run("sha256sum /tmp/vm-\(token)").text.prefix(64)
        #expect(try found == sum(folder.path(name)))
      }
      try guest.run("LabGuest retrieve 'empty one'")
      // The region's place, as the tool reads it from the same handover.
      let raw = folder.path("raw")
      #expect(try Run(Self.kho, ["forge", file.path, "-o", raw]).status == 0)
      let inspected = try Run(Self.kho, ["inspect", "--base", "0x8000000", raw]).text
      let match = try #require(inspected.firstMatch(of: /forged +\[0x([0-9a-f]+)-/))
      let page = try #require(UInt64(match.1, radix: 16)) >> 12
      let found = try guest.run(
        "dd if=/dev/mem bs=4096 skip=\(page) count=256 2>/dev/null | sha256sum")
      #expect(try String(found.text.prefix(64)) == sum(folder.path("region")))
      try guest.powerOff()
    }

    /// The control: with a wrong sum, the kernel's self-test must fail.
    @Test func wrongSumIsNoticed() throws {
      let folder = try TemporaryFolder()
      let file = try described(wrongSum: true, in: folder)
      let guest = try Guest.booted(by: ["forge", file.path], in: folder)
      try guest.expect("KHO restore failed")
      #expect(!guest.bootLog.contains("KHO restore succeeded"))
      try guest.powerOff()
    }

    /// A folder of files: more sessions and files than one block of records holds.
    @Test func folderOfSessions() throws {
      let folder = try TemporaryFolder()
      for number in 1...130 { try random(number, "tree/many/\(number)", in: folder) }
      for number in 1...60 { try random(10, "tree/session \(number)/state", in: folder) }
      let guest = try Guest.booted(by: ["forge", folder.path("tree")], in: folder)
      try guest.run("LabGuest retrieve many 1 63 64 65 126 127 130")
      for token in [1, 63, 64, 65, 126, 127, 130] {
        let found = try guest.run("sha256sum /tmp/many-\(token)").text.prefix(64)
        #expect(try found == sum(folder.path("tree/many/\(token)")))
      }
      for number in [1, 50, 51, 60] {
        try guest.run("LabGuest retrieve 'session \(number)' 1")
        let found = try guest.run("sha256sum '/tmp/session \(number)-1'").text.prefix(64)
        #expect(try found == sum(folder.path("tree/session \(number)/state")))
      }
      try guest.powerOff()
    }
  }
}
