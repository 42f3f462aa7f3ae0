internal import KexecHandover

/// Why the demo cannot go on, in a sentence.
struct DemoFailure: Error {
  let sentence: String

  init(_ sentence: String) { self.sentence = sentence }

  /// Does `body`, which must not fail.
  static func unless<Result: ~Copyable>(
    _ action: String, _ body: () throws(PreservedMemoryError) -> Result
  ) throws(DemoFailure) -> Result {
    do throws(PreservedMemoryError) { return try body() } catch {
      throw DemoFailure("\(action): \(error.sentence)")
    }
  }
}
