import ProcessHandover
import SystemPackage

// What the tests need a process of its own for: the first argument says what.
let arguments = Array(CommandLine.arguments.dropFirst())
switch arguments.first {
case "fill": try fill(FilePath(arguments[1]))
case "lock": try lock(FilePath(arguments[1]))
case "keep": try keep(FilePath(arguments[1]))
case "exec": try startGenerations(arguments[1], FilePath(arguments[2]))
case "inherit": try inheritGeneration()
case "spawn": try startChild(FilePath(arguments[1]))
case "child": try inheritInChild()
case "listen": takeListenDescriptors()
case "ready": try tellReady()
case "preserved-exec": try preserveAndExec(FilePath(arguments[1]))
case "preserved-inherit": try inheritPreserved()
case "preserved-spawn": try preserveAndSpawn(FilePath(arguments[1]))
case "preserved-give": try preserveAndGive(arguments[1], FilePath(arguments[2]))
case "preserved-store": try preserveAndStore()
case "preserved-stored": try takeStored()
case "preserved-change": try changeForever(FilePath(arguments[1]))
case "careless":
  try passCarelessly(arguments[1], FilePath(arguments[2]), hasCloseRange: arguments[3] == "range")
case "careless-list": try listDescriptors()
case "exec-beside-reader": try execBesideReader(holdsOutput: arguments[1] == "both")
case "fork": try fork(in: FilePath(arguments[1]))
case "limited": try fillInControlGroup(FilePath(arguments[1]), FilePath(arguments[2]))
case "refused": try allocateTooMuch(FilePath(arguments[1]))
case "memfd": try makeMemoryInSandbox(FilePath(arguments[1]))
case "store-change": try changeStore(FilePath(arguments[1]))
default: fatalError("unknown task: \(arguments)")
}
