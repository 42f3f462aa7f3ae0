/// Why the server cannot serve: a sentence for the operator.
struct StartFailure: ErrorForPeople {
  let sentence: String

  init(_ sentence: String) { self.sentence = sentence }
}
