/// Measurements in the order in which they were made: whether what is measured grows.
public struct Growth: Equatable, Sendable {
  private var values: [Double] = []

  /// Nothing yet.
  public init() {}

  /// Adds a measurement.
  public mutating func add(_ value: Double) { values.append(value) }

  /// The greatest of the first third; nil where there are fewer than three.
  public var first: Double? { values.count < 3 ? nil : values.prefix(values.count / 3).max() }

  /// The greatest of the last third.
  public var last: Double? { values.count < 3 ? nil : values.suffix(values.count / 3).max() }

  /// Whether the last third stays below `factor` times the first and `slack` more; false where there
  /// are too few.
  public func isBounded(factor: Double, slack: Double) -> Bool {
    guard let first, let last else { return false }
    return last <= first * factor + slack
  }
}
