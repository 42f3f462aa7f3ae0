import Foundation
import Testing

/// Scenarios on real kernels. They are skipped if the cache does not contain a kernel, or QEMU is not installed.
@Suite(.serialized, .enabled(if: Lab.isReady, Comment(rawValue: Lab.missing ?? "")))
struct RealLinuxTests {}

extension RealLinuxTests {
  @Suite struct BootTests {
    /// The lab itself: a command's output and status come back, the kernel's lines are seen, and a
    /// kexec boots the next kernel.
    @Test func commandsAndKexec() throws {
      let guest = try Guest()
      #expect(try guest.run("uname -r").text.hasPrefix("7.3."))
      #expect(try guest.attempt("exit 7").status == 7)
      #expect(try guest.run("kho --version").status == 0)
      try guest.run("mount -t debugfs none /sys/kernel/debug")
      try guest.kexec()
      try guest.expect("KHO: found kexec handover data")
      try guest.expect("test_kho: KHO restore succeeded")
      try guest.powerOff()
    }
  }
}
