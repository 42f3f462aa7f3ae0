import Foundation

/// The processor time in nanoseconds that this process has taken, all its threads.
package func processTime() -> Double { time(of: CLOCK_PROCESS_CPUTIME_ID) }

/// The processor time in nanoseconds that this thread has taken.
package func threadTime() -> Double { time(of: CLOCK_THREAD_CPUTIME_ID) }

/// The processor time in nanoseconds that `body` takes in this process.
package func processorTime(_ body: () throws -> Void) rethrows -> Double {
  let start = processTime()
  try body()
  return processTime() - start
}

private func time(of clock: clockid_t) -> Double {
  var time = timespec()
  unsafe clock_gettime(clock, &time)
  return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
}

/// Prints a line at once.
package func show(_ line: String) {
  print(line)
  fflush(nil)
}

/// The mean number of threads that ran or waited for a processor in the last minute, getloadavg(3).
package func load() -> String {
  var loads = [0.0]
  return unsafe getloadavg(&loads, 1) == 1 ? String(format: "%.1f", loads[0]) : "unknown"
}
