import Foundation
import Testing

extension RealLinuxTests {
  @Suite struct LiveUpdateTests {
    /// Files come back with their bytes, as another program sums them.
    @Test func files() throws {
      let guest = try Guest()
      for size in [1, 4096, 300_001, 3 << 20] {
        try guest.run("head -c \(size) /dev/urandom > /root/file-\(size)")
      }
      let sums = try guest.run("sha256sum /root/file-* | cut -d' ' -f1").lines
      try guest.run("LabGuest preserve vm /root/file-* > /tmp/preserved & ")
      try guest.run("until grep -q preserved /tmp/preserved; do usleep 100000; done")
      try guest.kexec()
      try guest.run("LabGuest retrieve vm 1 2 3 4")
      // The shell sorts the names: so are the tokens.
      #expect(try guest.run("sha256sum /tmp/vm-? | cut -d' ' -f1").lines == sums)
      #expect(
        try guest.attempt("LabGuest retrieve vm 1").text.contains("left no session of that name"))
      try guest.powerOff()
    }

    /// A memory file of the library through two kexecs: each region's sum holds.
    @Test func memoryFileThroughTwoKernels() throws {
      let guest = try Guest()
      func wait(for file: String) throws -> String {
        try guest.run(
          "until grep -qE 'made|LabGuest:' \(file); do usleep 100000; done; cat \(file)"
        ).text
      }
      try guest.run("LabGuest memory-make first 16 > /tmp/one &")
      let one = try wait(for: "/tmp/one")
      #expect(one == "made generation 0 regions 101\n")
      try guest.kexec()
      try guest.run("LabGuest memory-take first second > /tmp/two &")
      let two = try wait(for: "/tmp/two")
      #expect(
        two == """
          took generation 1 regions 101
          grown true
          made generation 1 regions 102

          """)
      try guest.kexec()
      #expect(
        try guest.run("LabGuest memory-take second").text == """
          took generation 2 regions 102
          grown true

          """)
      try guest.powerOff()
    }

    /// What the kernel refuses, in the library's words.
    @Test func refusals() throws {
      let guest = try Guest()
      let text = try guest.run("LabGuest refusals").text
      for line in [
        "open twice: another process has /dev/liveupdate open",
        "create twice: a session of that name is being prepared already",
        "no name: a session's name has 1 to 63 bytes",
        "long name: a session's name has 1 to 63 bytes",
        "longest name: works", "unknown session: the previous kernel left no session of that name",
        "preserve: works", "preserve twice: the file is preserved already",
        "token twice: the session has another file under the token 1",
        "sealed: the file was made with MFD_NOEXEC_SEAL",
        "named: the file has a name, /dev/shm/named, and a live update keeps only files without one",
        "unlinked: works", "pipe: the file cannot be preserved", "name: one",
      ] {
        #expect(text.contains(line), "\(text)")
      }
      try guest.powerOff()
    }
  }
}
