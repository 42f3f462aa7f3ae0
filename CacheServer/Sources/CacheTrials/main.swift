internal import ArgumentParser
internal import TrialSupport

// Two processes: one works, the other waits for it and clears up after it, however it ends. Servers
// end with the one that works; a successor that a server has started is not a child of its own
// accord, so both take over orphans, and the one that waits ends what is left.

let command: any ParsableCommand
do { command = try CacheTrials.parseAsRoot() } catch { CacheTrialsExit.leave(for: error) }
guard let trial = command as? any Trial else {
  // Help, mostly.
  var other = command
  do { try other.run() } catch { CacheTrialsExit.leave(for: error) }
  CacheTrialsExit.leave(0)
}
do {
  try SystemCalls.becomeSubreaper()
  if let guardian = SystemCalls.environmentValue(Guardian.variable).flatMap({ Int32($0) }) {
    let folder = trial.shared.workFolder(of: guardian)
    try SystemCalls.endWithParent(guardian, removing: folder)
    CacheTrialsExit.leave(TrialRunner.run(trial, in: folder) ? 0 : 1)
  }
  CacheTrialsExit.leave(try Guardian.watch(trial.shared.workFolder(of: SystemCalls.ownProcess)))
} catch {
  SystemCalls.writeToStandardError("cache-trials: \(error)\n")
}
CacheTrialsExit.leave(1)
