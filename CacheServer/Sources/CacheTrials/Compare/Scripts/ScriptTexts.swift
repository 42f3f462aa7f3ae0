internal import TrialSupport

/// What is asked, as text; how it is written, ``CommandScript`` says.
struct ScriptText {
  let name: String
  let text: String

  init(_ name: String, _ text: String) {
    self.name = name
    self.text = text
  }
}

/// All conversations.
enum ScriptTexts {
  private static let all = [
    strings, setOptions, numbers, deadlines, several, finding, bytes, connections, newProtocol,
    wire, administration,
  ]

  /// The scripts.
  static func scripts() throws -> [CommandScript] {
    try all.map { text in
      do throws(CommandScript.ScriptError) {
        return try CommandScript(text.name, text.text)
      } catch {
        throw TrialFailure("script '\(error.name)', line \(error.line) means nothing")
      }
    }
  }
}
