package import Testing

/// The loop variables around whatever runs now, for the message of a failure.
package enum Combination {
  @TaskLocal static var entries: [any CustomStringConvertible & Sendable] = []

  struct Entry: CustomStringConvertible, Sendable {
    let label: String
    let value: any Sendable
    var description: String { "\(label): \(value)" }
  }

  /// The variables, outermost first, as `shift: 4, seed: 17`.
  package static var description: String {
    entries.map(\.description).joined(separator: ", ")
  }
}

/// Calls `body` with every element, and names the element where something fails in it.
///
/// One test that loops costs a fraction of as many test cases. Suites need the trait
/// ``Testing/Trait/namesCombination`` for the names; they use `#require` in loops, so that the first
/// failure ends them.
package func withEvery<Elements: Sequence, Failure: Error>(
  _ label: String, in elements: Elements, _ body: (Elements.Element) throws(Failure) -> Void
) throws(Failure) where Elements.Element: Sendable {
  for element in elements {
    try withCombination(label, element) { () throws(Failure) in try body(element) }
  }
}

/// Calls `body`, and names `value` where something fails in it.
package func withCombination<Failure: Error>(
  _ label: String, _ value: any Sendable, _ body: () throws(Failure) -> Void
) throws(Failure) {
  let entries = Combination.entries + [Combination.Entry(label: label, value: value)]
  let result = Combination.$entries.withValue(entries) { () -> Result<Void, Failure> in
    do throws(Failure) { return .success(try body()) } catch { return .failure(error) }
  }
  try result.get()
}

extension Trait where Self == IssueHandlingTrait {
  /// Adds the loop variables of ``withEvery(_:in:_:)`` to each failure.
  package static var namesCombination: Self {
    .compactMapIssues { issue in
      guard !Combination.entries.isEmpty else { return issue }
      // A suite's trait is also its tests', so this runs more than once.
      let comment = Comment(rawValue: Combination.description)
      guard !issue.comments.contains(comment) else { return issue }
      var issue = issue
      issue.comments.append(comment)
      return issue
    }
  }
}
