import Foundation
import HandoverTestSupport
import Testing

extension RealLinuxTests {
  /// Real handovers out of frozen images, on each release. A kernel that knows the version restores all that the image
  /// has; every other one says that it does not know it, and boots without the handover.
  @Suite struct ReplayTests {
    @Test(arguments: Fixture.all, Releases.chosen)
    func image(_ fixture: Fixture, on release: String) throws {
      guard let kernel = Releases.kernel(release) else { return }
      let folder = try TemporaryFolder()
      let handover = try #require(
        try fixture.expectations().handovers.last { $0.readable != false && $0.entryCount ?? 0 > 0 }
      )
      let guest = try Guest.booted(
        by: ["replay", fixture.path, "--fdt-address", "\(handover.fdtAddress)"], in: folder,
        kernel: kernel, adding: "reserve_mem=128K:4096:labtrace")
      #expect(try guest.run("uname -r").text.hasPrefix("\(release)."))
      let verdict = try Releases.Verdict(fixture.path, release)
      guard verdict.isTaken else {
        try guest.expect(verdict.refusal)
        #expect(!guest.bootLog.contains("KHO restore succeeded"))
        #expect(!guest.bootLog.contains("Revived memory reservation"))
        try guest.powerOff()
        return
      }
      try guest.expect("KHO: found kexec handover data")
      if handover.subtrees?["kho_test"] != nil {
        try guest.expect("test_kho: KHO restore succeeded")
      }
      if handover.subtrees?["memblock"] != nil { try guest.expect("Revived memory reservation") }
      for session in handover.luo?.sessions ?? [] {
        let tokens = session.files.map { "\($0.token)" }.joined(separator: " ")
        try guest.run("LabGuest retrieve '\(session.name)' \(tokens)")
        for file in session.files {
          let found = try guest.run("sha256sum '/tmp/\(session.name)-\(file.token)'")
          #expect(found.text.prefix(64) == file.sha256)
        }
      }
      try guest.powerOff()
    }
  }
}
