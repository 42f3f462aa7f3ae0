import KHOCommands
import Platform

let arguments = Array(CommandLine.arguments.dropFirst())
KHOCommandLine.explainSignals(arguments)
exit(KHOCommandLine.run(arguments))
