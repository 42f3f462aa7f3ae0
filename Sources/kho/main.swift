import KHOCommands

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

KHOCommandLine.explainBusErrors()
exit(KHOCommandLine.run(Array(CommandLine.arguments.dropFirst())))
