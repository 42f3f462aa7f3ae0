import Foundation
import HandoverTestSupport
import Testing

/// The rehearsal on a system that is a folder; that it starts a kernel is shown in the lab.
@Suite struct UpdateTests {
  /// The header of a bzImage, with a version.
  private func kernel(_ version: String, memory: UInt32 = 16 << 20) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 0x800)
    bytes.put(0x5372_6448, at: 0x202, byteCount: 4)
    bytes.put(0x20f, at: 0x206, byteCount: 2)
    bytes.put(0x200, at: 0x20e, byteCount: 2)
    bytes.put(UInt64(memory), at: 0x260, byteCount: 4)
    for (index, byte) in version.utf8.enumerated() { bytes[0x400 + index] = byte }
    return bytes
  }

  private func rehearse(
    _ file: [UInt8], _ more: String..., commandLine: String = "quiet kho=on liveupdate=on"
  ) throws -> CommandRun {
    let system = try LiveTests.System(LiveTests.v4, outgoing: 0x51_5000)
    try system.put([], "dev/liveupdate")
    try system.put(commandLine + "\n", "proc/cmdline")
    try system.put("0x1000000\n0x6000000\n", "sys/kernel/debug/kho/out/scratch_len")
    try system.put(file, "kernel")
    return CommandRun(
      ["update", "--live-root", system.root, "--kernel", system.folder.path("kernel")] + more)
  }

  @Test func soundAndUnchanged() throws {
    let run = try rehearse(kernel("7.3.4 (a@b) #1 SMP"))
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    for line in [
      "ok    handover      at 0x515000, sound", "7.3.4 (a@b) #1 SMP",
      "ok    formats       Linux 7.3 understands", "ok    command line  turns it on: quiet kho=on",
      "ok    scratch       2 areas of 16 MiB, 96 MiB", "note  live update", "nothing was changed",
    ] {
      #expect(run.text.contains(line), "\(run.text)")
    }
  }

  @Test func whatFails() throws {
    let good = kernel("7.3.4")
    let cases: [(CommandRun, String)] = [
      (try rehearse(Array("no kernel".utf8)), "FAIL  kernel"),
      (try rehearse(kernel("7.1.13")), "FAIL  formats       Linux 7.1 does not understand"),
      (try rehearse(kernel("9.9.9")), "FAIL  formats       what 9.9.9 reads is not known"),
      (try rehearse(good, commandLine: "quiet"), "FAIL  command line  kho=on is missing"),
      (try rehearse(good, "--append", "kho=on"), "FAIL  command line  liveupdate=on is missing"),
      (try rehearse(kernel("7.3.4", memory: 200 << 20)), "FAIL  scratch"),
    ]
    for (run, line) in cases {
      #expect(run.status == 1)
      #expect(run.text.contains(line), "\(run.text)")
      // Not even with the words that ask for it is anything done then.
      #expect(!run.text.contains("loaded"))
    }
    let missing = CommandRun(["update", "--kernel", "/no/such/kernel"])
    #expect(missing.status == 3)
  }
}
