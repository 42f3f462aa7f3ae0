import Foundation

/// QEMU's arm64 machine `virt`, which boots once and prints: its guest runs one script.
struct ArmMachine {
  let kernel: URL
  let qemu: URL
  let busybox: URL
  private let clang: URL

  /// The programs and the kernel that it needs; nil if one of them is missing, see ``missing``.
  static let found: ArmMachine? = {
    guard case .success(let machine) = search else { return nil }
    return machine
  }()

  /// What is missing, as a sentence; empty if nothing is.
  static var missing: String {
    if case .failure(let missing) = search { missing.sentence } else { "" }
  }

  private static let search: Result<ArmMachine, Lab.Missing> = {
    guard let qemu = Lab.program("qemu-system-aarch64") else {
      return .failure(Lab.Missing(sentence: "qemu-system-aarch64 is not installed"))
    }
    guard let kernel = Lab.kernel("7.3", "arm64") else {
      return .failure(
        Lab.Missing(
          sentence: "the lab's cache has no kernel for arm64: run Lab/kernel --arch arm64"))
    }
    guard let clang = Lab.program("clang") else {
      return .failure(Lab.Missing(sentence: "clang of the Swift toolchain is not in PATH"))
    }
    let busybox = try? Run(Lab.folder.appending(path: "busybox").path, ["--cached", "arm64"])
    guard let busybox, busybox.status == 0 else {
      return .failure(
        Lab.Missing(sentence: "the lab's cache has no busybox for arm64: run Lab/busybox arm64"))
    }
    let path = busybox.text.trimmingCharacters(in: .whitespacesAndNewlines)
    return .success(
      ArmMachine(kernel: kernel, qemu: qemu, busybox: URL(filePath: path), clang: clang))
  }()

  private var options: [String] {
    ["-cpu", "max,pauth-impdef=on", "-smp", "1", "-display", "none", "-nodefaults", "-no-reboot"]
  }

  /// The machine's own device tree.
  func deviceTree(memory mebibytes: Int, in folder: TemporaryFolder) throws -> String {
    let path = folder.path("machine.dtb")
    _ = try Run(
      qemu.path, ["-machine", "virt,gic-version=3,dumpdtb=\(path)", "-m", "\(mebibytes)"] + options)
    return path
  }

  /// Boots the kernel with raw memory at an address and a device tree, and runs `script` in it.
  ///
  /// - Returns: what the machine printed.
  func boot(
    memory mebibytes: Int, deviceTree: String, load: String, at address: UInt64,
    commandLine: String, script: String, in folder: TemporaryFolder
  ) throws -> String {
    let retrieve = folder.path("retrieve")
    let compiled = try Run(
      clang.path,
      [
        "-target", "aarch64-none-linux-gnu", "-Os", "-ffreestanding", "-fno-builtin",
        "-fno-stack-protector", "-Wall", "-Wextra", "-Werror", "-fuse-ld=lld", "-nostdlib",
        "-static", "-o", retrieve, Lab.folder.appending(path: "Guest/retrieve.c").path,
      ])
    guard compiled.status == 0 else {
      throw Guest.Failure(description: "retrieve.c does not compile")
    }
    var initramfs = Initramfs()
    try initramfs.addFile("bin/busybox", busybox)
    try initramfs.addFile("bin/retrieve", URL(filePath: retrieve))
    initramfs.add(
      "init",
      Data(
        """
        #!/bin/busybox sh
        busybox mkdir -p /proc /dev /tmp
        busybox mount -t proc proc /proc
        busybox mount -t devtmpfs dev /dev
        busybox mount -t tmpfs tmpfs /tmp
        exec >/dev/console 2>&1
        \(script)
        echo LAB-END
        busybox poweroff -f

        """.utf8))
    let archive = folder.url.appending(path: "arm64.cpio")
    try initramfs.whole.write(to: archive)
    let log = folder.path("serial.log")
    // timeout(1) ends a machine that hangs.
    _ = try Run(
      "/usr/bin/timeout",
      ["-k", "5", "300", qemu.path, "-machine", "virt,gic-version=3", "-m", "\(mebibytes)"]
        + options + [
          "-kernel", kernel.path, "-initrd", archive.path, "-append", commandLine, "-dtb",
          deviceTree, "-serial", "file:\(log)", "-device",
          "loader,file=\(load),addr=\(address),force-raw=on",
        ])
    let text = String(decoding: try Data(contentsOf: URL(filePath: log)), as: UTF8.self)
    try Lab.keep(text, as: "arm64-\(UUID().uuidString).log")
    return text
  }
}
