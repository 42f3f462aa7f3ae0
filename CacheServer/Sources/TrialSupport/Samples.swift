/// Some measurements of one thing.
public struct Samples: Equatable, Sendable {
  private var sorted: [Double] = []

  /// Those.
  public init(_ values: [Double] = []) { sorted = values.sorted() }

  /// Adds a measurement.
  public mutating func add(_ value: Double) {
    sorted.insert(value, at: sorted.firstIndex { $0 > value } ?? sorted.count)
  }

  /// The smallest, or `nil` without samples.
  public var least: Double? { sorted.first }
  /// The largest, or `nil` without samples.
  public var greatest: Double? { sorted.last }

  /// The one in the middle, or the mean of the two there; `nil` without samples.
  public var median: Double? {
    guard !sorted.isEmpty else { return nil }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  /// `self`'s median over `other`'s; nil if one of them has no samples, or `other`'s is 0.
  public func ratio(to other: Samples) -> Double? {
    guard let mine = median, let others = other.median, others > 0 else { return nil }
    return mine / others
  }
}
