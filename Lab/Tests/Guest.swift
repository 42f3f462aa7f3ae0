import Foundation
import KexecHandover
import Platform
import SystemPackage
import Testing

/// A machine under QEMU with a real kernel, driven from outside.
///
///     let guest = try Guest(memory: 1024)
///     try guest.run("mount -t debugfs none /sys/kernel/debug")
///     try guest.kexec()
///     try guest.expect("KHO: found kexec handover data")
final class Guest {
  /// What a machine boots from.
  enum Boot {
    /// A kernel and the lab's initramfs, as a boot loader gives them.
    case kernel(URL)
    /// One ELF file with everything inside, such as `kho forge` makes.
    case whole(URL)
    /// A kernel and a disk image with the root file system, without an initramfs.
    case disk(kernel: URL, image: URL)
  }

  /// What a command in the guest gave.
  struct Answer {
    let status: Int32
    let text: String
    var lines: [String] { text.split(separator: "\n").map(String.init) }
  }

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// The command line that every kernel of the lab gets.
  ///
  /// Without `no_timer_check`, a kernel panics if the host is too busy to deliver the ticks of its timer.
  static let commandLine =
    "console=ttyS0 lab_tty=ttyS1 kho=on liveupdate=on kho_scratch=16M,160M,32M panic=-1 nokaslr "
    + "no_timer_check"

  /// The longest that one step may take before the test gives up: a machine that hangs does not answer.
  static let patience: TimeInterval = 420

  let folder: URL
  /// The longest that one step of this machine may take.
  var patience: TimeInterval
  private let process = Process()
  private let console: Channel
  private let terminal: Channel
  private let monitor: Channel
  /// All that the kernels printed.
  private(set) var log = ""
  /// Where the log of the kernel that runs now begins.
  private var bootOffset = 0
  private var isMonitored = false
  private let start = Date()

  init(
    _ boot: Boot? = nil, memory mebibytes: Int = 1024, commandLine: String = Guest.commandLine,
    processors: Int = 1, patience: TimeInterval = Guest.patience,
    adding files: [String: Data] = [:], programs: [URL] = [], options: [String] = [],
    waitsUntilReady: Bool = true
  ) throws {
    let parts = try Lab.parts
    self.patience = patience
    folder = FileManager.default.temporaryDirectory.appending(path: "kho-lab-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    console = try Channel(folder.appending(path: "console").path)
    terminal = try Channel(folder.appending(path: "terminal").path)
    monitor = try Channel(folder.appending(path: "monitor").path)
    var arguments = [
      "-machine", "q35,accel=tcg", "-cpu", "max", "-m", "\(mebibytes)", "-smp", "\(processors)",
      "-display", "none", "-nodefaults", "-no-reboot", "-device", "vmcoreinfo",
      "-chardev", "pipe,id=console,path=\(console.path)", "-serial", "chardev:console",
      "-chardev", "pipe,id=terminal,path=\(terminal.path)", "-serial", "chardev:terminal",
      "-chardev", "pipe,id=monitor,path=\(monitor.path)", "-mon", "chardev=monitor,mode=control",
    ]
    switch boot ?? .kernel(parts.kernel) {
    case .kernel(let kernel):
      let initramfs = folder.appending(path: "initramfs")
      var content = try Self.initramfs()
      try content.addFile("kernel", parts.kernel)
      for (path, bytes) in files { content.add(path, bytes) }
      try content.addPrograms(programs)
      try content.whole.write(to: initramfs)
      arguments += [
        "-kernel", kernel.path, "-initrd", initramfs.path, "-append", commandLine,
      ]
    case .whole(let file):
      arguments += ["-kernel", file.path]
    case .disk(let kernel, let image):
      arguments += [
        "-kernel", kernel.path, "-append", commandLine, "-device", "virtio-rng-pci", "-drive",
        "file=\(image.path),if=virtio,format=raw,cache=unsafe",
      ]
    }
    process.executableURL = parts.qemu
    process.arguments = arguments + options
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    let errors = folder.appending(path: "qemu-errors")
    try Data().write(to: errors)
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    if waitsUntilReady { try waitUntilReady() }
  }

  deinit {
    if process.isRunning {
      // Not SIGTERM, which a machine in a loop of faults does not answer.
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    try? Lab.keep(log, as: "\(folder.lastPathComponent).log")
    try? FileManager.default.removeItem(at: folder)
  }

  /// The initramfs without a kernel in it, for a machine that boots from one file.
  static func initramfs() throws -> Initramfs { try standardInitramfs.get() }

  private static let standardInitramfs = Result {
    try Initramfs(
      busybox: try Lab.parts.busybox,
      programs: ["kho", "LabGuest"].map { Lab.programs.appending(path: $0) })
  }

  var isRunning: Bool { process.isRunning }

  /// What the kernel that runs now has printed.
  var bootLog: String { String(log[log.index(log.startIndex, offsetBy: bootOffset)...]) }

  /// Waits until the guest takes commands.
  func waitUntilReady() throws {
    _ = try wait("for the guest to be ready") { terminal.takeLine(beginningWith: "LAB-READY") }
  }

  /// Runs a command of one line, and gives its answer whatever the status.
  func attempt(_ command: String) throws -> Answer {
    precondition(!command.contains("\n"), "a command of one line")
    try terminal.send(command + "\n")
    let header = try wait("for the answer to: \(command)") {
      terminal.takeLine(beginningWith: "LAB-ANSWER")
    }
    let fields = header.split(separator: " ")
    guard fields.count == 3, let status = Int32(fields[1]), let count = Int(fields[2]) else {
      throw Failure(description: "the guest answered \(header)")
    }
    let bytes = try wait("for \(count) bytes of: \(command)") { terminal.take(count) }
    return Answer(status: status, text: String(decoding: bytes, as: UTF8.self))
  }

  /// Runs a command that must work.
  @discardableResult
  func run(_ command: String) throws -> Answer {
    let answer = try attempt(command)
    guard answer.status == 0 else {
      throw Failure(description: "\(command): status \(answer.status)\n\(answer.text)")
    }
    return answer
  }

  /// Waits until the kernel that runs now has printed `text`.
  func expect(_ text: String) throws {
    _ = try wait("for the kernel to print: \(text)") { bootLog.contains(text) ? true : nil }
  }

  /// Boots the next kernel by kexec, with the guest's files as its initramfs.
  func kexec(_ kernel: String = "/kernel", adding options: String = "") throws {
    try run("lab-kexec \(kernel) \(options)")
    try restart(by: "LabGuest reboot")
  }

  /// Runs a command that starts the next kernel, and waits until that takes commands.
  func restart(by command: String) throws {
    bootOffset = log.count
    try terminal.send(command + "\n")
    try waitUntilReady()
  }

  /// Writes the guest's memory to a file, as `dump-guest-memory` of QEMU does, while it is stopped.
  func dump(to file: URL) throws {
    try stop()
    try writeDump(to: file)
    try order("cont")
  }

  /// Stops the machine. Only dumps work from then on.
  func stop() throws { try order("stop") }

  /// Writes the memory of a stopped machine to a file, as `dump-guest-memory` of QEMU does.
  ///
  /// - Parameters:
  ///   - file: the file.
  ///   - format: a format by QEMU's name, such as `kdump-lzo`; nil for an ELF file.
  ///   - paging: whether QEMU adds program headers for the guest's page tables (`-p`).
  /// - Throws: QEMU's error, such as "kdump-lzo is not available now".
  func writeDump(to file: URL, format: String? = nil, paging: Bool = false) throws {
    let chosen = format.map { #", "format": "\#($0)""# } ?? ""
    try order(
      "dump-guest-memory", #"{"paging": \#(paging), "protocol": "file:\#(file.path)"\#(chosen)}"#)
  }

  /// Ends the guest, and waits for it.
  func powerOff() throws {
    try terminal.send("LabGuest poweroff\n")
    try waitUntilEnded()
  }

  /// Waits until QEMU has ended: a kernel with panic=-1 resets, and -no-reboot makes an end of it.
  func waitUntilEnded() throws {
    let deadline = Date().addingTimeInterval(patience)
    while process.isRunning, Date() < deadline { try pump() }
    if process.isRunning { throw Failure(description: "the guest did not end\n\(lastLines)") }
    try pump()
  }

  private func order(_ command: String, _ arguments: String = "{}") throws {
    if !isMonitored {
      isMonitored = true
      try order("qmp_capabilities")
    }
    try monitor.send(#"{"execute": "\#(command)", "arguments": \#(arguments)}"# + "\n")
    let answer = try wait("for QEMU to \(command)") { () -> String? in
      while let line = monitor.takeLine(beginningWith: "{") {
        if line.contains(#""return""#) || line.contains(#""error""#) { return line }
      }
      return nil
    }
    if answer.contains(#""error""#) { throw Failure(description: "\(command): \(answer)") }
  }

  private func wait<Value>(_ purpose: String, _ condition: () throws -> Value?) throws -> Value {
    let deadline = Date().addingTimeInterval(patience)
    while true {
      if let value = try condition() { return value }
      if !process.isRunning {
        try pump()
        if let value = try condition() { return value }
        let errors =
          (try? String(
            contentsOf: folder.appending(path: "qemu-errors"), encoding: .utf8)) ?? ""
        throw Failure(description: "the guest ended, waiting \(purpose)\n\(errors)\n\(lastLines)")
      }
      guard Date() < deadline else {
        throw Failure(description: "gave up waiting \(purpose)\n\(lastLines)")
      }
      try pump()
    }
  }

  private var lastLines: String {
    log.split(separator: "\n").suffix(40).joined(separator: "\n")
  }

  private func pump() throws {
    Channel.wait(for: [console, terminal, monitor], milliseconds: 200)
    for channel in [console, terminal, monitor] { try channel.read() }
    if let bytes = console.take(console.received.count), !bytes.isEmpty {
      // Before decoding: a carriage return and a line feed are one Character.
      log += String(decoding: bytes.filter { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
    }
  }
}
