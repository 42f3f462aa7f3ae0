/// What `COMMAND INFO` and `COMMAND DOCS` report about a command beside its name, arity and flags.
struct CommandDetails {
  /// Which arguments are keys.
  struct Keys {
    let first: Int
    /// Counted from the end where it is negative.
    let last: Int
    let step: Int
    let flags: String
    var notes: String?
  }

  let categories: String
  var tips: [String] = []
  var keys: Keys?
  let summary: String
  let since: String
  let group: String
  let complexity: String
}
