internal import ArgumentParser

/// A file of a session, as the command line names it: `SESSION:TOKEN`.
struct MemfdName: ExpressibleByArgument {
  let session: String
  let token: UInt64

  init?(argument: String) {
    // A session may have colons in its name, a token has none.
    guard let colon = argument.lastIndex(of: ":"), colon > argument.startIndex,
      let token = parseNumber(argument[argument.index(after: colon)...])
    else {
      invalid("it is not SESSION:TOKEN, a name and a number")
      return nil
    }
    session = String(argument[..<colon])
    self.token = token
  }
}
