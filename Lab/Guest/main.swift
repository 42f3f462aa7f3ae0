import KexecHandover
import SystemPackage

// What a guest of the lab needs beside `kho` and busybox. The first argument says what.
let arguments = Array(CommandLine.arguments.dropFirst())
do {
  switch arguments.first {
  case "load":
    try NextKernel.load(
      FilePath(arguments[1]), initramfs: FilePath(arguments[2]), commandLine: arguments[3])
  case "reboot": try NextKernel.start()
  case "poweroff": try NextKernel.powerOff()
  case "preserve": try preserveFiles(session: arguments[1], paths: arguments.dropFirst(2))
  case "preserve-again": try preserveAgainAndAgain(paths: arguments.dropFirst())
  case "retrieve": try retrieveFiles(session: arguments[1], tokens: arguments.dropFirst(2))
  case "refusals": try showRefusals()
  case "memory-make": try makeMemory(session: arguments[1], mebibytes: UInt64(arguments[2])!)
  case "memory-take":
    try takeMemory(session: arguments[1], again: arguments.dropFirst(2).first)
  case "serve":
    try Broker.serve(
      from: arguments[1], to: arguments[2], command: Array(arguments.dropFirst(3)))
  case "keys-write", "keys-check":
    let keys = Int(arguments[2])!..<Int(arguments[3])!
    if arguments[0] == "keys-write" {
      try writeKeys(KeyServer(arguments[1]), keys)
    } else {
      try checkKeys(KeyServer(arguments[1]), keys)
    }
  case "keys-first": try awaitFirstAnswer(KeyServer(arguments[1]), Int(arguments[2])!)
  default:
    print("LabGuest: unknown task \(arguments)")
    exitProcess(2)
  }
} catch {
  print("LabGuest: \(error)")
  exitProcess(1)
}
