internal import ArgumentParser

/// The option that lets a command replace files.
struct ForceOption: ParsableArguments {
  @Flag(help: "Replace a file that exists; never an input, a device or a link.")
  var force = false
}
