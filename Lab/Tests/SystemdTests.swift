import Foundation
import Testing

extension RealLinuxTests {
  /// `systemctl kexec` with systemd 261 or later, which keeps the memory of the cache server in its store of
  /// descriptors. The same update with Redis and with memcached, for comparison. The table goes to
  /// `$KHO_LAB_LOGS/systemd.md`.
  @Suite(.enabled(if: SystemdMachine.found != nil, Comment(rawValue: SystemdMachine.missing)))
  struct SystemdTests {
    /// A debug build serves some 100 keys a second in an emulated machine.
    private static let keyCount =
      Lab.cacheServer?.path.contains("/release/") == true ? 100_000 : 10_000

    private let folder: TemporaryFolder
    private let guest: Guest

    init() throws {
      folder = try TemporaryFolder()
      guest = try #require(SystemdMachine.found).boot(in: folder)
    }

    @Test func memoryOfServicesThroughKernelUpdates() throws {
      let version = try guest.run("systemctl --version").lines[0]
      let number = try #require(version.split(separator: " ").dropFirst().first.flatMap { Int($0) })
      try #require(number >= 261, "\(version)")
      var table = """
        | server | kernel | init | service | first answer | keys that are there |
        |---|---|---|---|---|---|

        """
      var log = version + "\n"
      defer {
        try? Lab.keep(table, as: "systemd.md")
        try? Lab.keep(log, as: "systemd.txt")
      }

      // The cache server, through two updates.
      let half = Self.keyCount / 2
      try settle(unit: "cache-server.service")
      for (round, keys) in [0..<half, half..<Self.keyCount].enumerated() {
        try write(keys, to: "/run/cache")
        let before = try guest.run("systemd-analyze --no-pager fdstore cache-server.service").text
        #expect(before.contains("cache"), "\(before)")
        try update(watching: "/run/cache")
        try guest.expect("luo: Retrieved live update data")
        try settle(unit: "cache-server.service")
        let found = try check(0..<keys.upperBound, in: "/run/cache")
        #expect(
          found.contains(
            "right \(keys.upperBound) of \(keys.upperBound), DBSIZE :\(keys.upperBound)"),
          "\(found)")
        log += try guest.run(
          "journalctl --no-pager -o short-monotonic -b | grep -E 'Restored|memory memfd|luo: '"
        ).text
        table += try row(
          "cache server, update \(round + 1)", unit: "cache-server.service", found: found)
      }
      try guest.run("systemctl disable --now cache-server.socket cache-server.service")

      // Redis, with its snapshot on the disk.
      let all = 0..<Self.keyCount
      try guest.run("systemctl enable --now lab-redis.service")
      try write(all, to: "/run/redis")
      let saved = try guest.run("bash -c 'time -p redis-cli -s /run/redis save' 2>&1").text
      #expect(saved.contains("OK"), "\(saved)")
      log += "Redis, SAVE: \(saved)"
      try update(watching: "/run/redis")
      try settle(unit: "lab-redis.service")
      let redis = try check(all, in: "/run/redis")
      #expect(
        redis.contains("right \(all.count) of \(all.count), DBSIZE :\(all.count)"), "\(redis)")
      table += try row("Redis, `SAVE` before", unit: "lab-redis.service", found: redis)
      try guest.run("systemctl disable --now lab-redis.service")

      // memcached, as it is, and with its memory in a file on the disk.
      for (unit, name) in [
        ("lab-memcached.service", "memcached"),
        ("lab-memcached-file.service", "memcached, `-e` on the disk"),
      ] {
        // A server that ended leaves its socket.
        try guest.run("rm -f /run/memcached; systemctl enable --now \(unit)")
        try guest.run("until [ -S /run/memcached ]; do sleep 0.1; done")
        try write(all, to: "memcached:/run/memcached")
        try update(watching: "memcached:/run/memcached")
        try settle(unit: unit)
        let found = try check(all, in: "memcached:/run/memcached")
        log += "\(name): \(found)"
        table += try row(name, unit: unit, found: found)
        try guest.run("systemctl disable --now \(unit)")
      }
    }

    private func settle(unit: String) throws {
      try guest.run("until systemctl is-active -q \(unit); do sleep 0.1; done")
    }

    private func write(_ keys: Range<Int>, to server: String) throws {
      let text = try guest.run(
        "LabGuest keys-write \(server) \(keys.lowerBound) \(keys.upperBound)"
      ).text
      // memcached may evict; it acknowledges all the same.
      #expect(text == "acknowledged \(keys.count)\n", "\(server)")
    }

    private func check(_ keys: Range<Int>, in server: String) throws -> String {
      try guest.run("LabGuest keys-check \(server) \(keys.lowerBound) \(keys.upperBound)").text
    }

    /// Loads the kernel with `kho update`, and has systemd start it.
    private func update(watching server: String) throws {
      try guest.run("echo SERVER=\(server) >/etc/lab-server")
      let loaded = try guest.attempt(
        "kho update --kernel /boot/kernel --append \"$(cat /proc/cmdline)\" --load")
      try #require(loaded.status == 0, "\(loaded.text)")
      try guest.restart(by: "systemctl kexec")
    }

    /// A line of the table: seconds from the kernel's start to systemd's, to the service's, and to the first answer.
    private func row(_ name: String, unit: String, found: String) throws -> String {
      let first = try guest.run(
        "until [ -s /run/first-answer ]; do sleep 0.1; done; cat /run/first-answer"
      ).text
      let answer = try #require(
        first.firstMatch(of: /first answer at ([0-9.]+)/).flatMap { Double($0.1) }, "\(first)")
      let manager =
        try time(guest.run("systemctl show -P UserspaceTimestampMonotonic").text) ?? .nan
      let service =
        try time(guest.run("systemctl show -P InactiveExitTimestampMonotonic \(unit)").text) ?? .nan
      let right = try #require(found.firstMatch(of: /right ([0-9]+) of ([0-9]+)/))
      func seconds(_ value: Double) -> String { String(format: "%.2f s", value) }
      return "| \(name) | \(seconds(manager)) | \(seconds(service - manager)) "
        + "| \(seconds(answer - service)) | \(seconds(answer)) | \(right.1) of \(right.2) |\n"
    }

    /// systemd's time stamp in seconds.
    private func time(_ text: String) -> Double? {
      Double(text.trimmingCharacters(in: .whitespacesAndNewlines)).map { $0 / 1_000_000 }
    }
  }
}
