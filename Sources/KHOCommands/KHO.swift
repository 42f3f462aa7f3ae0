internal import ArgumentParser

/// The tool's root command.
struct KHO: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kho",
    abstract: "Reads and checks the Kexec HandOver state of Linux kernels.",
    discussion: """
      IMAGE is an ELF core or a compressed dump (kdump-zlib of makedumpfile or QEMU, flattened or not) \
      of a machine's memory, or, with --base, raw memory; --live is the running system. Every handover \
      in an image is found by scanning, and read whatever its version: kho-v1 to kho-v4. A memory file \
      of a process is read as well, and says itself where its handover lies.

      Addresses and sizes are decimal, or hexadecimal with 0x, and may end in K, M, G or T.

      Files that are written (-o, --html, --svg): one that exists is replaced only with --force, and an \
      input never; a device, a FIFO and /dev/stdout are written into; a symbolic link to a file is refused. \
      With --json, what is said on standard error is one JSON object as well.

      \(ExitStatus.help)
      """,
    version: "0.2.0",
    subcommands: [
      Inspect.self, Pages.self, Check.self, Owners.self, Store.self, Map.self, Diff.self,
      Extract.self, Capture.self, Compat.self, Plan.self, Forge.self, Replay.self, Update.self,
      Demo.self,
      DemoWorkerCommand.self,
    ])
}
