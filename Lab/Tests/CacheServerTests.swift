import Foundation
import Testing

extension RealLinuxTests {
  /// The cache server through two kernel updates. A service manager keeps its memfd, as systemd 261 and later do. The
  /// next server finds each write that the server before acknowledged.
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
      func write(_ keys: Range<Int>) throws {
        let text = try guest.run(
          "LabGuest keys-write /tmp/cache \(keys.lowerBound) \(keys.upperBound)"
        ).text
        #expect(text == "acknowledged \(keys.count)\n")
      }
      /// Preserves the memory, boots the next kernel, and compares the keys that its server has.
      func update(from: String, to: String, keyCount count: Int) throws {
        try preserve()
        try guest.kexec()
        table += "kernel and init: \(try guest.run("cut -d' ' -f1 /proc/uptime").text)"
        table += try begin(from, to)
        let text = try guest.run("LabGuest keys-check /tmp/cache 0 \(count)").text
        table += text
        #expect(text.contains("right \(count) of \(count), DBSIZE :\(count)\n"), "\(text)")
      }
      table += try begin("-", "one")
      let half = Self.keyCount / 2
      try write(0..<half)
      try update(from: "one", to: "two", keyCount: half)
      // The session is finished, so the file can grow again.
      try write(half..<Self.keyCount)
      try update(from: "two", to: "three", keyCount: Self.keyCount)
      try Lab.keep(table, as: "cache-server.txt")
      try guest.powerOff()
    }
  }
}
