import Measuring

/// One line of the table: what every peer does in turn.
package struct Workload {
  package let name: String
  /// How many operations a time is divided by.
  package let operationCount: UInt64
  /// Fills the sets before the run; not timed.
  package let prepare: (any PageSet) -> Void
  /// What is timed.
  package let run: (any PageSet) -> Void
  /// Whether a peer takes part: some would take minutes, and one line says so.
  package var includes: (any PageSet) -> Bool = { _ in true }
}

/// Times of one workload, by peer and repetition.
package struct Measurement {
  package let workload: Workload
  /// One entry a repetition; empty where the peer takes no part.
  package var times: [[Double]]

  /// Nanoseconds for each operation, the median.
  package func nanoseconds(_ peer: Int) -> Double? {
    median(times[peer]).map { $0 / Double(workload.operationCount) }
  }

  /// How many times as long as the product the peer takes: the median over pairs of one repetition.
  package func ratio(_ peer: Int, to product: Int = 0) -> Double? {
    median(zip(times[peer], times[product]).map { $0 / $1 })
  }
}

/// Runs every peer once a repetition, each time beginning with another, after one round to warm up.
package func measure(
  _ workload: Workload, on peers: [any PageSet], repetitions: Int
) -> Measurement {
  var times = [[Double]](repeating: [], count: peers.count)
  for repetition in 0...repetitions {
    for turn in peers.indices {
      let index = (turn + repetition) % peers.count
      let peer = peers[index]
      guard workload.includes(peer) else { continue }
      workload.prepare(peer)
      let time = nanoseconds { workload.run(peer) }
      if repetition > 0 { times[index].append(time) }
    }
  }
  return Measurement(workload: workload, times: times)
}
