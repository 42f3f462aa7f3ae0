internal import Platform

/// Which cases of a sweep run: all, unless `KHO_SWEEP_STEP` is set.
///
/// Under a sanitizer a case takes up to a hundred times as long, and a sweep over every bit of an image hours.
/// `KHO_SWEEP_STEP=61` takes every 61st case, beginning with number `KHO_SWEEP_START`, which is 0 unless it is set. A
/// step that has no divisor in common with 8 takes each bit of a byte equally often.
package struct SweepCases {
  /// How far one case that runs is from the next.
  package static let step = max(number("KHO_SWEEP_STEP") ?? 1, 1)
  /// The number of the first case that runs.
  package static let start = (number("KHO_SWEEP_START") ?? 0) % step

  /// Whether every case runs.
  package static var areAll: Bool { step == 1 }

  /// How many cases there were, those that did not run included.
  package private(set) var count = 0

  /// No case so far.
  package init() {}

  /// Counts a case; true if it runs.
  package mutating func takesNext() -> Bool {
    defer { count += 1 }
    return count % Self.step == Self.start
  }

  private static func number(_ variable: String) -> Int? {
    SystemCalls.environmentValue(variable).flatMap { Int($0) }
  }
}
