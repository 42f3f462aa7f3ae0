import Foundation
import ProcessHandover
import SystemPackage

/// Takes what a service manager gives, and says what it was.
func takeListenDescriptors() {
  do {
    var received = try ServiceManager.receivedDescriptors(removingVariables: true)
    var line = received.names.joined(separator: " ")
    if let memory = received.take("memory") {
      let flags = fcntl(memory.rawValue, F_GETFD)
      line += "; memory of \(try MemoryFile.adopt(memory).byteCount) bytes"
      if flags == FD_CLOEXEC { line += "; closed on exec" }
    }
    let environment = ProcessInfo.processInfo.environment
    if !environment.keys.contains(where: { $0.hasPrefix("LISTEN_") }) { line += "; variables gone" }
    say(line)
  } catch {
    say("\(error)")
  }
}

/// Notifies the service manager, if one started this process, that the process is ready.
func tellReady() throws {
  guard let manager = try ServiceManager.current() else { return say("nobody") }
  try manager.notifyReady()
  say("told")
}
