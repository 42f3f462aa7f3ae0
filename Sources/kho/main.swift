import KHOCommands
import Platform

KHOCommandLine.explainBusErrors()
exit(KHOCommandLine.run(Array(CommandLine.arguments.dropFirst())))
