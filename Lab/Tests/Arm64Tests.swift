import Foundation
import Testing

extension RealLinuxTests {
  /// Linux on arm64 takes a handover that no kernel wrote: `kho forge` made it.
  @Suite(.enabled(if: ArmMachine.found != nil, Comment(rawValue: ArmMachine.missing)))
  struct Arm64Tests {
    private static let kho = Lab.programs.appending(path: "kho").path
    private static let memory = 1024

    private struct Report: Decodable {
      let loadAddress: UInt64
      let machineTreePath: String
    }

    /// Boots a forged handover.
    ///
    /// - Returns: the log, and the sums of the files that were handed over.
    private func boot(wrongSum: Bool) throws -> (log: String, sums: [String]) {
      let machine = try #require(ArmMachine.found)
      let folder = try TemporaryFolder()
      var generator = SystemRandomNumberGenerator()
      for (name, byteCount) in [("one", 300_001), ("two", 2 << 20), ("three", 5)] {
        let bytes = Data((0..<byteCount).map { _ in UInt8.random(in: 0...255, using: &generator) })
        try bytes.write(to: folder.url.appending(path: name))
      }
      try """
      {"machine": "arm64", "memory": "\(Self.memory)M",
       "metadata": {"release": "forged-by-kho", "count": 41}, "liveUpdate": 42,
       "sessions": [{"name": "vm", "files": [
         {"token": 1, "file": "one"}, {"token": 2, "file": "two", "folioOrder": 9},
         {"token": 3, "file": "three", "folioOrder": 3}]}],
       "reserveMem": [{"name": "forged", "size": "1M"}],
       "test": {"orders": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 0, 3, 1, 5], "wrongSum": \(wrongSum)}}
      """.write(
        to: folder.url.appending(path: "description.json"), atomically: true, encoding: .utf8)
      let tree = try machine.deviceTree(memory: Self.memory, in: folder)
      let made = try Run(
        Self.kho,
        [
          "forge", folder.path("description.json"), "--device-tree", tree, "-o",
          folder.path("handover.raw"), "--json",
        ])
      try #require(made.status == 0, "\(made.text)")
      let report = try JSONDecoder().decode(Report.self, from: Data(made.text.utf8))
      let log = try machine.boot(
        memory: Self.memory, deviceTree: report.machineTreePath, load: folder.path("handover.raw"),
        at: report.loadAddress,
        commandLine:
          "console=ttyAMA0 kho=on liveupdate=on panic=-1 reserve_mem=1M:4096:forged",
        script: "retrieve vm 1 2 3 && busybox sha256sum /tmp/vm-1 /tmp/vm-2 /tmp/vm-3",
        in: folder)
      let sums = try ["one", "two", "three"].map {
        try String(Run("/usr/bin/sha256sum", [folder.path($0)]).text.prefix(64))
      }
      return (log, sums)
    }

    @Test func everythingComesBack() throws {
      let (log, sums) = try boot(wrongSum: false)
      for line in [
        "KHO: found kexec handover data", "KHO: exec from: forged-by-kho (count 41)",
        "luo: Retrieved live update data, liveupdate number: 42", "test_kho: KHO restore succeeded",
        "Revived memory reservation", "LAB-END",
      ] {
        #expect(log.contains(line), "\(log.suffix(4000))")
      }
      for (token, sum) in zip(1..., sums) {
        #expect(log.contains("\(sum)  /tmp/vm-\(token)"), "\(log.suffix(2000))")
      }
    }

    /// The control: with a wrong sum, the kernel's self-test must fail.
    @Test func wrongSumIsNoticed() throws {
      let (log, _) = try boot(wrongSum: true)
      #expect(log.contains("KHO restore failed"), "\(log.suffix(4000))")
      #expect(!log.contains("KHO restore succeeded"))
    }
  }
}
