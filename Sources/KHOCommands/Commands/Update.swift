internal import ArgumentParser
internal import KexecHandover
internal import SystemPackage

/// `kho update`: the rehearsal of a kernel update that hands memory over, and the update itself.
struct Update: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "update",
    abstract: "Rehearses an update to another kernel that keeps memory; --yes makes it.",
    discussion: """
      Checks that the running kernel can hand over and that its handover is sound. Checks that KERNEL is a \
      bzImage whose version understands the handover (kho compat), that its command line turns Kexec HandOver \
      on, and that it fits with its initramfs into scratch memory. Nothing is changed.

      --load also loads the kernel by kexec_file_load(2), so that `systemctl kexec` or reboot(2) starts it. \
      --yes loads the kernel and starts it at once. No process is stopped and no file system is unmounted, so \
      use it only on machines that are prepared for that. If a check fails, neither is done.

      The exit status is 1 if a check did not pass. \(ExitStatus.help)

      Examples:
        kho update --kernel /boot/vmlinuz --initramfs /boot/initrd.img
        kho update --kernel bzImage --append "kho=on liveupdate=on" --load
      """)

  @Option(help: ArgumentHelp("The bzImage to update to.", valueName: "file"), completion: .file())
  var kernel: String

  @Option(help: ArgumentHelp("Its initramfs.", valueName: "file"), completion: .file())
  var initramfs: String?

  @Option(
    help: ArgumentHelp("Its command line; the running kernel's where absent.", valueName: "text"))
  var append: String?

  @Flag(help: "Load the kernel.")
  var load = false

  @Flag(help: "Load the kernel and start it at once.")
  var yes = false

  @OptionGroup var liveRoot: LiveRoot

  func run() throws {
    let rehearsal: UpdateRehearsal
    do throws(UpdateRehearsalError) {
      rehearsal = try UpdateRehearsal(
        kernel: FilePath(kernel), initramfs: initramfs.map { FilePath($0) }, commandLine: append,
        root: liveRoot.folder)
    } catch {
      throw CommandFailure.badInput(error.description)
    }
    var table = TextTable([.left, .left, .left])
    for check in rehearsal.checks { table.add([check.outcome.name, check.title, check.text]) }
    for line in table.lines() { Console.current.print(line) }
    guard !rehearsal.hasFailed else { throw CommandFailure.findings() }
    guard load || yes else {
      Console.current.print(
        "nothing was changed: --load loads the kernel, --yes loads and starts it")
      return
    }
    do throws(LiveUpdateError) {
      try NextKernel.load(
        FilePath(kernel), initramfs: initramfs.map { FilePath($0) },
        commandLine: rehearsal.commandLine)
      Console.current.print("loaded \(kernel)")
      guard yes else { return }
      Console.current.flush()
      try NextKernel.start()
    } catch {
      throw CommandFailure.badInput("\(kernel): \(error.description)")
    }
  }
}
