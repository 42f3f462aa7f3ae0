import HandoverDemo
import KHOCommands
import KexecHandover
import Platform
import SystemPackage

extension TortureRun {
  /// Starts a process that works on the memory, and has it killed a random while after `field` of the
  /// journal got `value`: one in four by this process, the others by a timer of the kernel.
  ///
  /// Changes take less time than what prepares them and come last, so most timers are set for about
  /// as long as the last operation of the kind took.
  ///
  /// - Returns: whether it was killed; it may have come to its end before.
  mutating func killWorker(
    at field: TortureJournal.Field, _ value: UInt64
  ) throws(TortureFailure) -> Bool {
    // Most operations take some microseconds, and some that move much memory a thousand.
    let lifetime = random.next() % (random.isOne(in: 4) ? 2_000_000 : 200_000)
    let hasTimer = !random.isOne(in: 4)
    journal[.killAtCount] = hasTimer ? value : 0
    let isByShare = field == .begunCount && !random.isOne(in: 4)
    journal[.lifetime] = lifetime
    journal[.lifeShare] = isByShare ? 640 + random.next() % 512 : 0
    let worker: ChildProcess
    do throws(SuccessorError) {
      worker = try ChildProcess(["worker", journalPath.string, path.string])
    } catch {
      throw TortureFailure(error.sentence)
    }
    return try wasKilled(
      hasTimer
        ? worker.wait() : kill(worker, after: lifetime) { [journal] in journal[field] >= value })
  }

  /// Kills the process that many nanoseconds after `isTime`, unless it ends before.
  private func kill(
    _ worker: ChildProcess, after lifetime: UInt64, _ isTime: () -> Bool
  ) -> ChildProcess.End {
    var roundCount = 0
    while !isTime() {
      roundCount += 1
      // Until it works, the processor is better used for its start.
      if journal[.begunCount] == journal[.existingCount] {
        if let end = worker.poll() { return end }
        usleep(50)
      } else if roundCount % 256 == 0, let end = worker.poll() {
        return end
      }
    }
    let clock = ContinuousClock()
    let instant = clock.now + .nanoseconds(Int64(lifetime))
    while clock.now < instant {}
    worker.kill()
    return worker.wait()
  }

  private mutating func wasKilled(_ end: ChildProcess.End) throws(TortureFailure) -> Bool {
    if end != .killed(signal: SIGKILL) { noteOperation(journal.read()?.inFlight) }
    switch end {
    case .killed(signal: SIGKILL): return true
    case .exited(0): return false
    case .exited(let status):
      throw TortureFailure("the process ended by itself with status \(status)")
    case .killed(let signal):
      throw TortureFailure("the process was ended by signal \(signal)")
    }
  }

  func removeFile(_ path: FilePath) throws(TortureFailure) {
    if let error = tortureUnlink(path) {
      throw TortureFailure("\(path) cannot be removed (\(error))")
    }
  }
}

/// unlink(2), of a file that need not be there.
func tortureUnlink(_ path: FilePath) -> Errno? {
  // SAFETY: the path is whole, and outlives the call.
  let result = unsafe path.withPlatformString { unsafe unlink($0) }
  let error = Errno(rawValue: errno)
  return result == 0 || error == .noSuchFileOrDirectory ? nil : error
}

/// Whether there is anything at the path.
func fileExists(_ path: FilePath) -> Bool {
  // SAFETY: the path is whole, and outlives the call.
  unsafe path.withPlatformString { unsafe access($0, F_OK) } == 0
}
