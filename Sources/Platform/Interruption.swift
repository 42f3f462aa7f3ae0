internal import CPlatform
internal import Synchronization
internal import SystemPackage

/// What a program of one thread does when a signal ends it: it removes its unfinished file, and says what
/// was left.
package enum Interruption {
  /// Makes a line for standard error of a sentence.
  private static let format = Mutex<@Sendable (String) -> String>({ $0 + "\n" })

  /// Handles SIGINT, SIGTERM, SIGHUP, SIGBUS and SIGXFSZ from here on.
  ///
  /// - Parameters:
  ///   - format: makes a line for standard error of a sentence.
  ///   - truncatedStatus: the exit status where a mapped input is cut short while it is read.
  package static func handle(
    truncatedStatus: Int32, format: @escaping @Sendable (String) -> String
  ) {
    Self.format.withLock { $0 = format }
    note()
    // SAFETY: the text is copied.
    unsafe kho_explain_bus_errors(
      format("the input was truncated while it was read"), truncatedStatus)
    kho_catch_interruptions()
    kho_ignore_size_limit_signal()
  }

  /// Has a sentence said about what an interruption leaves, and removes the file at `temporary`.
  static func note(
    _ sentence: String = "interrupted; the output is not complete",
    removing temporary: FilePath? = nil
  ) {
    let text = format.withLock { $0(sentence) }
    // SAFETY: both strings are copied.
    unsafe kho_note_interruption(text, temporary?.string ?? "")
  }
}
