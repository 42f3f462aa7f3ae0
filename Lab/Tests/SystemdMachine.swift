import Foundation

/// Debian sid on a disk, with systemd, the cache server and its units, and servers to compare it with.
struct SystemdMachine {
  let kernel: URL
  let root: URL
  let server: URL

  /// What it needs; nil if one of these is missing, see ``missing``.
  static let found: SystemdMachine? = {
    guard case .success(let machine) = search else { return nil }
    return machine
  }()

  /// What is missing, as a sentence; empty if nothing is.
  static var missing: String {
    if case .failure(let missing) = search { missing.sentence } else { "" }
  }

  private static let search: Result<SystemdMachine, Lab.Missing> = {
    guard Lab.extent == .all else {
      return .failure(Lab.Missing(sentence: "a part of Lab/all"))
    }
    guard let kernel = Lab.kernel(with: "systemd") else {
      return .failure(
        Lab.Missing(
          sentence: "the lab's cache has no kernel for systemd: run Lab/kernel --with systemd"))
    }
    guard let root = Lab.cached("root") else {
      return .failure(
        Lab.Missing(sentence: "the lab's cache has no root file system of Debian sid: run Lab/root")
      )
    }
    guard let server = Lab.cacheServer else {
      return .failure(Lab.Missing(sentence: "CacheServer is not built"))
    }
    return .success(SystemdMachine(kernel: kernel, root: root, server: server))
  }()

  /// What every kernel gets. The scratch areas leave room for a memory file beside them.
  private static let commandLine =
    "root=/dev/vda rw console=ttyS0 lab_tty=ttyS1 kho=on liveupdate=on kho_scratch=32M,256M,128M "
    + "panic=-1 nokaslr no_timer_check loglevel=7"

  /// Boots it, with 2 GiB of memory and two processors.
  func boot(in folder: TemporaryFolder) throws -> Guest {
    let image = folder.url.appending(path: "disk")
    try makeImage(image, in: folder)
    return try Guest(
      .disk(kernel: kernel, image: image), memory: 2048, commandLine: Self.commandLine,
      processors: 2)
  }

  private func makeImage(_ image: URL, in folder: TemporaryFolder) throws {
    let added = folder.url.appending(path: "added")
    let present = Set(
      try Run("/bin/tar", ["-t", "-f", root.path]).text.split(separator: "\n")
        .map { URL(filePath: String($0)).lastPathComponent })
    var libraries: Set<String> = []
    for program in [server] + ["kho", "LabGuest"].map({ Lab.programs.appending(path: $0) }) {
      try copy(program, to: added.appending(path: "usr/local/bin/\(program.lastPathComponent)"))
      for library in try Initramfs.libraries(of: program)
      where !present.contains(library.lastPathComponent) && libraries.insert(library.path).inserted
      {
        try copy(
          library,
          to: added.appending(path: "usr/lib/x86_64-linux-gnu/\(library.lastPathComponent)"))
      }
    }
    try copy(kernel, to: added.appending(path: "boot/kernel"))
    try copy(
      Lab.folder.appending(path: "Guest/lab-commands"),
      to: added.appending(path: "usr/local/bin/lab-commands"))
    let units = added.appending(path: "etc/systemd/system")
    // The server's own units, as they are.
    for unit in ["cache-server.service", "cache-server.socket"] {
      try copy(
        Lab.folder.appending(path: "../CacheServer/systemd/\(unit)").standardized,
        to: units.appending(path: unit))
    }
    for (path, text) in Self.units {
      let file = units.appending(path: path)
      try makeFolder(of: file)
      try text.write(to: file, atomically: true, encoding: .utf8)
    }
    for (target, unit) in [
      ("multi-user", "lab.service"), ("sysinit", "lab-first.service"),
      ("sockets", "cache-server.socket"), ("multi-user", "cache-server.service"),
    ] {
      let link = units.appending(path: "\(target).target.wants/\(unit)")
      try makeFolder(of: link)
      try FileManager.default.createSymbolicLink(
        atPath: link.path, withDestinationPath: "../\(unit)")
    }
    // What takes minutes in an emulated machine, and that no scenario needs.
    for unit in [
      "systemd-hwdb-update.service", "systemd-journal-catalog-update.service", "ldconfig.service",
      "serial-getty@.service", "systemd-firstboot.service", "systemd-update-done.service",
    ] {
      try FileManager.default.createSymbolicLink(
        atPath: units.appending(path: unit).path, withDestinationPath: "/dev/null")
    }
    try "4b484f4b484f4b484f4b484f4b484f4b\n".write(
      to: added.appending(path: "etc/machine-id"), atomically: true, encoding: .utf8)
    let made = try Run(
      Lab.folder.appending(path: "root").path, ["--image", added.path, image.path])
    guard made.status == 0 else {
      throw Guest.Failure(description: "Lab/root could not make the image of the disk")
    }
    try FileManager.default.removeItem(at: added)
  }

  private func makeFolder(of file: URL) throws {
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
  }

  private func copy(_ source: URL, to place: URL) throws {
    try makeFolder(of: place)
    try FileManager.default.copyItem(at: source.resolvingSymlinksInPath(), to: place)
  }

  /// The lab's units: the test's commands, what notes the first answer of a server, and the servers to compare with.
  private static let units: [(path: String, text: String)] = [
    (
      "cache-server.socket.d/lab.conf",
      """
      [Socket]
      ListenStream=/run/cache

      """
    ),
    (
      "lab.service",
      """
      [Unit]
      Description=Runs the commands of a test

      [Service]
      ExecStart=/usr/local/bin/lab-commands
      Environment=PATH=/usr/local/bin:/usr/bin:/usr/sbin HOME=/root

      """
    ),
    (
      "lab-first.service",
      """
      [Unit]
      Description=Notes when a server first answers
      DefaultDependencies=no
      Conflicts=shutdown.target
      Before=shutdown.target
      ConditionPathExists=/etc/lab-server

      [Service]
      EnvironmentFile=/etc/lab-server
      ExecStart=/usr/local/bin/LabGuest keys-first ${SERVER} 17
      StandardOutput=file:/run/first-answer

      """
    ),
    (
      "lab-redis.service",
      """
      [Service]
      Type=notify
      ExecStartPre=/usr/bin/mkdir -p /var/lib/lab-redis
      ExecStart=/usr/bin/redis-server --supervised systemd --port 0 --unixsocket /run/redis --dir /var/lib/lab-redis --save ""

      [Install]
      WantedBy=multi-user.target

      """
    ),
    (
      "lab-memcached.service",
      """
      [Service]
      ExecStart=/usr/bin/memcached -u root -s /run/memcached -m 256

      [Install]
      WantedBy=multi-user.target

      """
    ),
    (
      // Its memory in a file on the disk. SIGUSR1 ends it so that it writes what a restart needs.
      "lab-memcached-file.service",
      """
      [Service]
      ExecStart=/usr/bin/memcached -u root -s /run/memcached -m 256 -e /var/lib/lab-memcached
      KillSignal=SIGUSR1

      [Install]
      WantedBy=multi-user.target

      """
    ),
  ]
}
