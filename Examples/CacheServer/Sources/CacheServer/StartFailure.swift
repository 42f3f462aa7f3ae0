/// Why the server cannot serve: a sentence for the operator.
struct StartFailure: Error {
  let sentence: String

  init(_ sentence: String) { self.sentence = sentence }
}
