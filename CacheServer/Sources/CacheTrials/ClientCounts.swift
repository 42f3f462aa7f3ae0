internal import ArgumentParser
internal import TrialSupport

/// What `--clients` allows: how many other clients a trial connects.
enum ClientCounts {
  /// - Throws: `ValidationError` for an empty list or a number above 60,000.
  static func validate(_ counts: [Int]) throws {
    guard counts.allSatisfy({ (0...60_000).contains($0) }), !counts.isEmpty else {
      throw ValidationError("--clients takes numbers from 0 to 60000")
    }
  }

  /// Raises this process's limit on descriptors for the largest of `counts`.
  ///
  /// - Throws: `TrialFailure` if the hard limit is too low.
  static func makeRoom(for counts: [Int]) throws {
    let limit = SystemCalls.raiseDescriptorLimit()
    let most = counts.max() ?? 0
    guard most + 100 <= limit else {
      throw TrialFailure(
        "\(most) clients need more descriptors than ulimit -n allows: \(limit)")
    }
  }
}
