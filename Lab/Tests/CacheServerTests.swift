import Foundation
import Testing

extension RealLinuxTests {
  /// The cache server through two kernel updates: its memfd is kept by a service manager, as systemd 261 and
  /// later do, and every write that the server acknowledged is there afterwards.
  @Suite(
    .enabled(if: Lab.extent == .all, "a part of Lab/all"),
    .enabled(if: Lab.cacheServer != nil, "CacheServer is not built"))
  struct CacheServerTests {
    /// A debug build serves some 100 keys a second in an emulated machine.
    private static let keyCount =
      Lab.cacheServer?.path.contains("/release/") == true ? 100_000 : 10_000
    private static let service =
      "/bin/cache-server --port none --unixsocket /tmp/cache --memory-file memfd:cache"

    @Test func throughTwoKernels() throws {
      let guest = try Guest(memory: 2048, programs: [try #require(Lab.cacheServer)])
      var table = ""
      func begin(_ from: String, _ to: String) throws -> String {
        try guest.run("LabGuest serve \(from) \(to) \(Self.service) > /tmp/broker-says 2>&1 &")
        return try guest.run(
          "until grep -qE '^(ready|LabGuest:)' /tmp/broker-says; do usleep 10000; done; "
            + "cat /tmp/broker-says"
        ).text
      }
      func preserve() throws {
        try guest.run("until [ -p /tmp/broker ]; do usleep 10000; done; echo >/tmp/broker")
        let said = try guest.run(
          "until grep -qE '^(preserved|LabGuest:)' /tmp/broker-says; do usleep 10000; done; "
            + "cat /tmp/broker-says"
        ).text
        try #require(said.contains("preserved "), "\(said)")
        table += said
      }
      table += try begin("-", "one")
      let half = Self.keyCount / 2
      let written = try guest.run("LabGuest keys-write /tmp/cache 0 \(half)").text
      #expect(written == "acknowledged \(half)\n")
      try preserve()
      try guest.kexec()
      table += "kernel and init: \(try guest.run("cut -d' ' -f1 /proc/uptime").text)"
      table += try begin("one", "two")
      let first = try guest.run("LabGuest keys-check /tmp/cache 0 \(half)").text
      table += first
      #expect(first.contains("right \(half) of \(half), DBSIZE :\(half)\n"), "\(first)")
      // It takes more: the session is finished, so the file can grow again.
      let more = try guest.run("LabGuest keys-write /tmp/cache \(half) \(Self.keyCount)").text
      #expect(more == "acknowledged \(Self.keyCount - half)\n")
      try preserve()
      try guest.kexec()
      table += "kernel and init: \(try guest.run("cut -d' ' -f1 /proc/uptime").text)"
      table += try begin("two", "three")
      let second = try guest.run("LabGuest keys-check /tmp/cache 0 \(Self.keyCount)").text
      table += second
      #expect(
        second.contains("right \(Self.keyCount) of \(Self.keyCount), DBSIZE :\(Self.keyCount)\n"),
        "\(second)")
      try Lab.keep(table, as: "cache-server.txt")
      try guest.powerOff()
    }
  }
}
