internal import ArgumentParser

/// The tool's root command.
struct KHO: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kho",
    abstract: "Reads, checks, plans and makes Kexec HandOver state of Linux kernels.",
    discussion: """
      IMAGE is a dump of a machine's memory (ELF core, compressed dump, LiME, AVML, also .gz, .zst, .xz), \
      a memory file of a process, or with --base raw memory; --live is the running system. `kho` finds every \
      handover in an image by scanning it, and reads every version: kho-v1 to kho-v4.

      Addresses and sizes are decimal, or hexadecimal with 0x, and can end in K, M, G or T.

      Output files (-o, --html, --svg): an existing file is replaced only with --force, and an \
      input never. `kho` writes into a device, a FIFO and /dev/stdout, and refuses a symbolic link to a file. \
      With --json, errors on standard error are JSON objects too.

      \(ExitStatus.help)

      Examples:
        kho inspect vmcore
        kho check --json vmcore
        kho help check
        kho --generate-completion-script bash
      """,
    version: "0.2.0",
    subcommands: [DemoWorkerCommand.self],
    groupedSubcommands: [
      CommandGroup(name: "Look", subcommands: [Inspect.self, Pages.self, Map.self, Store.self]),
      CommandGroup(name: "Explain", subcommands: [Check.self, Owners.self]),
      CommandGroup(name: "Compare", subcommands: [Diff.self, Compat.self]),
      CommandGroup(name: "Keep", subcommands: [Capture.self, Extract.self, Report.self]),
      CommandGroup(name: "Plan", subcommands: [Plan.self, Update.self]),
      CommandGroup(name: "Prove", subcommands: [Forge.self, Replay.self, Demo.self]),
    ])
}
