internal import ArgumentParser
internal import SystemPackage

/// Where the files of the running system are, for tests.
struct LiveRoot: ParsableArguments {
  @Option(
    name: .customLong("live-root"),
    help: ArgumentHelp(
      "The directory that contains proc, sys and dev of the system.", visibility: .hidden))
  var path = "/"

  var folder: FilePath { FilePath(path) }
}
