package import ArgumentParser
internal import KexecHandover
internal import Platform

/// The whole tool as a function: arguments in, an exit status out.
public enum KHOCommandLine {
  /// Runs the command that `arguments` name, without the program's own name, and returns the exit
  /// status: 0 done, 1 findings or differences, 2 the command line is wrong, 3 the input cannot be read,
  /// or only in part, 4 the output cannot be written.
  public static func run(_ arguments: [String], console: Console = .standard) -> Int32 {
    if let sentence = CommandNames.complaint(about: arguments, isJSON: asksForJSON(arguments)) {
      console.complainsInJSON = asksForJSON(arguments)
      return console.finish(.usage, sentence).rawValue
    }
    return run(KHO.self, arguments, console: console)
  }

  /// Runs a command of another tool in the same way.
  package static func run(
    _ root: (some ParsableCommand).Type, _ arguments: [String], console: Console = .standard
  ) -> Int32 {
    Console.$current.withValue(console) {
      console.toolName = root._commandName
      console.complainsInJSON = asksForJSON(arguments)
      let (status, sentence) = parseAndRun(root, arguments, console)
      return console.finish(status, sentence).rawValue
    }
  }

  /// Has a signal that ends the tool explained, and its unfinished output removed.
  public static func explainSignals(_ arguments: [String]) {
    let isJSON = asksForJSON(arguments)
    Interruption.handle(truncatedStatus: ExitStatus.inputFailed.rawValue) { sentence in
      guard isJSON else { return "kho: \(sentence)\n" }
      return JSONDocument.error(sentence, .inputFailed).text(isPretty: false) + "\n"
    }
  }

  private static func asksForJSON(_ arguments: [String]) -> Bool {
    arguments.prefix { $0 != "--" }.contains("--json")
  }

  private static func parseAndRun(
    _ root: (some ParsableCommand).Type, _ arguments: [String], _ console: Console
  ) -> (ExitStatus, String?) {
    do {
      var command = try root.parseAsRoot(arguments)
      try command.run()
      return (console.inputIsPartial ? .inputFailed : .done, nil)
    } catch let failure as CommandFailure {
      // What is missing may change what was found.
      let isPartial = console.inputIsPartial && failure.status == .findings
      return (isPartial ? .inputFailed : failure.status, failure.sentence)
    } catch {
      guard root.exitCode(for: error) != .success else {
        console.print(root.fullMessage(for: error))
        return (.done, nil)
      }
      return (.usage, usageSentence(root, error, console))
    }
  }

  /// What is wrong with the command line, and how it should look.
  private static func usageSentence(
    _ root: (some ParsableCommand).Type, _ error: any Error, _ console: Console
  ) -> String {
    let message = root.message(for: error)
    var reason = ""
    // The parser says why only where the choice is among words.
    if message.contains(" is invalid for "), !message.contains("Please provide one of"),
      !message.hasSuffix(".")
    {
      reason = ": " + (console.argumentReason ?? "it is not a number that fits")
    }
    if console.complainsInJSON { return message + reason }
    let full = root.fullMessage(for: error)
    let mark = "Error: \(message)"
    guard full.hasPrefix(mark) else { return full }
    return message + reason + full.dropFirst(mark.count)
  }
}
