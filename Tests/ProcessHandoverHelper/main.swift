import ProcessHandover
import SystemPackage

// What the tests need a process of its own for: the first argument says what.
let arguments = Array(CommandLine.arguments.dropFirst())
switch arguments.first {
case "fill": try fill(FilePath(arguments[1]))
case "lock": try lock(FilePath(arguments[1]))
case "exec": try startGenerations(arguments[1], FilePath(arguments[2]))
case "inherit": try inheritGeneration()
case "spawn": try startChild(FilePath(arguments[1]))
case "child": try inheritInChild()
case "listen": takeListenDescriptors()
case "ready": try tellReady()
default: fatalError("unknown task: \(arguments)")
}
