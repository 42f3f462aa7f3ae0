import Foundation
import Testing

extension RealLinuxTests {
  /// A kernel update from beginning to end, as the operator's guide describes it. What was typed and printed goes
  /// to `$KHO_LAB_LOGS/update.txt`.
  @Suite struct UpdateTests {
    @Test func fromBeginningToEnd() throws {
      let guest = try Guest()
      var transcript = ""
      func show(_ command: String) throws -> Guest.Answer {
        let answer = try guest.attempt(command)
        transcript += "# \(command)\n\(answer.text)"
        if answer.status != 0 { transcript += "(exit status \(answer.status))\n" }
        return answer
      }
      try guest.run("mount -t debugfs none /sys/kernel/debug")
      try guest.run("head -c 3000000 /dev/urandom > /root/state; lab-initramfs")
      let sum = try show("sha256sum /root/state").text.prefix(64)
      try guest.run("LabGuest preserve vm /root/state > /tmp/preserved &")
      try guest.run("until grep -q preserved /tmp/preserved; do usleep 100000; done")
      #expect(try show("kho check --live").status == 0)
      // What must not be started is not.
      let forgotten = try show("kho update --kernel /kernel --append 'console=ttyS0 quiet' --yes")
      #expect(
        forgotten.status == 1 && forgotten.text.contains("FAIL  command line"), "\(forgotten.text)")
      let wrong = try show("kho update --kernel /bin/busybox")
      #expect(wrong.status == 1 && wrong.text.contains("FAIL  kernel"), "\(wrong.text)")
      let rehearsal = try show("kho update --kernel /kernel --initramfs /dev/shm/initramfs")
      #expect(rehearsal.status == 0, "\(rehearsal.text)")
      for line in [
        "ok    handover", "ok    kernel", "ok    formats", "ok    command line", "ok    scratch",
      ] {
        #expect(rehearsal.text.contains(line), "\(rehearsal.text)")
      }
      #expect(rehearsal.text.contains("nothing was changed"))
      transcript += "# kho update --kernel /kernel --initramfs /dev/shm/initramfs --yes\n"
      try guest.restart(by: "kho update --kernel /kernel --initramfs /dev/shm/initramfs --yes")
      #expect(
        try show("dmesg | grep -E 'KHO: |luo: '").text.contains("luo: Retrieved live update data"))
      #expect(try show("LabGuest retrieve vm 1").status == 0)
      #expect(try show("sha256sum /tmp/vm-1").text.prefix(64) == sum)
      try guest.powerOff()
      try Lab.keep(transcript, as: "update.txt")
    }
  }
}
