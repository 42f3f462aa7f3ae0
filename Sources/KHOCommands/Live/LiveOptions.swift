internal import ArgumentParser
internal import SystemPackage

/// The options of every command that can read the running system.
struct LiveOptions: ParsableArguments {
  @Flag(
    name: .customLong("live"),
    help: ArgumentHelp(
      "Read the running system instead of an image: debugfs and /proc/kcore or /dev/mem.",
      discussion: "It changes while it is read, so what looks like damage is read twice."))
  var isLive = false

  @OptionGroup var root: LiveRoot

  var system: LiveSystem { LiveSystem(root: FilePath(root.path)) }
}

/// Where the files of the running system lie, for tests.
struct LiveRoot: ParsableArguments {
  @Option(
    name: .customLong("live-root"),
    help: ArgumentHelp(
      "The directory in which proc, sys and dev of the system lie.", visibility: .hidden))
  var path = "/"
}
