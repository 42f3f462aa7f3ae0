package import KexecHandover

/// Why the demo cannot go on, in a sentence.
package struct DemoFailure: Error {
  package let sentence: String

  package init(_ sentence: String) { self.sentence = sentence }

  package init(_ action: String, _ error: PreservedMemoryError) {
    self.init("\(action): \(error.sentence)")
  }

  /// Does `body`, which must not fail.
  package static func unless<Result: ~Copyable>(
    _ action: String, _ body: () throws(PreservedMemoryError) -> Result
  ) throws(DemoFailure) -> Result {
    do throws(PreservedMemoryError) { return try body() } catch {
      throw DemoFailure(action, error)
    }
  }
}
