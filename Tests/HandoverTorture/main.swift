import ArgumentParser
import KHOCommands
import Platform

/// `kho-torture`: kills processes that change memory files, and looks at what they leave; and compares a
/// collection with a model.
///
/// For tests of the library; operators do not need it.
struct TortureTool: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kho-torture",
    abstract: "Tests memory files by killing processes that change them.",
    subcommands: [
      Torture.self, StoreTorture.self, OrderedMapTorture.self, TortureWorkerCommand.self,
      StoreWorkerCommand.self,
    ],
    defaultSubcommand: Torture.self)
}

exit(KHOCommandLine.run(TortureTool.self, Array(CommandLine.arguments.dropFirst())))
