package import ArgumentParser

/// The whole tool as a function: arguments in, an exit status out.
public enum KHOCommandLine {
  /// Runs the command that `arguments` name, without the program's own name, and tells the exit
  /// status: 0 done, 1 the input is bad or, of `check`, has errors, 2 the command line is wrong,
  /// 3 the input of `check` cannot be read, or that of any command only in part.
  public static func run(_ arguments: [String], console: Console = .standard) -> Int32 {
    run(KHO.self, arguments, console: console)
  }

  /// Runs a command of another tool in the same way.
  package static func run(
    _ root: (some ParsableCommand).Type, _ arguments: [String], console: Console = .standard
  ) -> Int32 {
    Console.$current.withValue(console) {
      let status = parseAndRun(root, arguments, console)
      return console.finish() ? status : 1
    }
  }

  private static func parseAndRun(
    _ root: (some ParsableCommand).Type, _ arguments: [String], _ console: Console
  ) -> Int32 {
    do {
      var command = try root.parseAsRoot(arguments)
      try command.run()
      return console.inputIsPartial ? CommandFailure.partialStatus : 0
    } catch let failure as CommandFailure {
      if let sentence = failure.sentence { console.complain("\(root._commandName): \(sentence)") }
      return failure.status
    } catch {
      let message = root.fullMessage(for: error)
      guard root.exitCode(for: error) != .success else {
        console.print(message)
        return 0
      }
      console.complain(message)
      return CommandFailure.wrongUsageStatus
    }
  }
}

/// Why a command ends with another status than 0.
package struct CommandFailure: Error {
  static let badInputStatus: Int32 = 1
  static let wrongUsageStatus: Int32 = 2
  /// The input was read only in part.
  static let partialStatus: Int32 = 3

  let status: Int32
  /// What was found where, and what to do; nil where the output says it already.
  let sentence: String?

  /// Input that cannot be used.
  package static func badInput(_ sentence: String) -> CommandFailure {
    CommandFailure(status: badInputStatus, sentence: sentence)
  }
}
