internal import KexecHandover
internal import SystemPackage

/// Where a command's output goes: standard output in large pieces, complaints and progress to
/// standard error.
public final class Console: @unchecked Sendable {
  /// The console of the command that is running.
  @TaskLocal package static var current = Console.standard

  /// The process's own standard output and error.
  public static var standard: Console {
    Console(
      output: { bytes in
        do {
          _ = try FileDescriptor.standardOutput.writeAll(bytes)
          return nil
        } catch {
          return "\(error)"
        }
      },
      errors: { _ = try? FileDescriptor.standardError.writeAll($0) },
      showsProgress: isTerminal(.standardError), writesToTerminal: isTerminal(.standardOutput),
      window: WindowSize(of: .standardOutput), isColored: takesColor(.standardOutput))
  }

  // A command runs on one thread; nothing here is shared.
  private var pending: [UInt8] = []
  /// Whether the input was read only in part, which the exit status says where nothing worse happens.
  var inputIsPartial = false
  private var failure: String?
  /// What is written before a sentence on standard error.
  var toolName = "kho"
  /// Whether what is said on standard error is one JSON object.
  var complainsInJSON = false
  /// What was said on standard error so far, where that is to be one object.
  private var complaints: [String] = []
  /// Why the last argument of the command line could not be read, where that is known.
  var argumentReason: String?
  private let output: ([UInt8]) -> String?
  private let errors: ([UInt8]) -> Void
  package let showsProgress: Bool
  /// Whether a person sees standard output.
  let writesToTerminal: Bool
  /// The size of the window in which a person reads standard output; nil where it goes elsewhere.
  let window: WindowSize?
  /// Whether standard output takes colours.
  let isColored: Bool

  private static let pieceByteCount = 1 << 16

  /// A console that hands on what is written.
  ///
  /// - Parameters:
  ///   - output: takes a piece of standard output; a sentence when it could not.
  ///   - errors: takes a piece of standard error.
  ///   - showsProgress: whether a person watches standard error.
  ///   - writesToTerminal: whether a person sees standard output.
  public convenience init(
    output: @escaping ([UInt8]) -> String?, errors: @escaping ([UInt8]) -> Void,
    showsProgress: Bool = false, writesToTerminal: Bool = false
  ) {
    self.init(
      output: output, errors: errors, showsProgress: showsProgress,
      writesToTerminal: writesToTerminal, window: nil, isColored: false)
  }

  init(
    output: @escaping ([UInt8]) -> String?, errors: @escaping ([UInt8]) -> Void,
    showsProgress: Bool, writesToTerminal: Bool, window: WindowSize?, isColored: Bool
  ) {
    self.output = output
    self.errors = errors
    self.showsProgress = showsProgress
    self.writesToTerminal = writesToTerminal
    self.window = window
    self.isColored = isColored
  }

  /// Whether output still goes anywhere.
  var isWritable: Bool { failure == nil }

  /// Adds text to standard output.
  func write(_ text: String) {
    pending.append(contentsOf: text.utf8)
    flushIfFull()
  }

  /// Adds a line to standard output.
  package func print(_ line: String = "") {
    pending.append(contentsOf: line.utf8)
    pending.append(UInt8(ascii: "\n"))
    flushIfFull()
  }

  /// Adds bytes to standard output.
  func write(_ bytes: some Collection<UInt8>) {
    pending.append(contentsOf: bytes)
    flushIfFull()
  }

  /// Says something on standard error, which does not end the command: a line with the tool's name
  /// before it, or a part of the JSON object that ``finish(_:_:)`` writes.
  package func complain(_ sentence: String) {
    if complainsInJSON {
      complaints.append(sentence)
    } else {
      errors(Array("\(toolName): \(sentence)\n".utf8))
    }
  }

  /// Writes to standard error what the next such text overwrites.
  package func showProgress(_ text: String) { errors(Array("\r\u{1b}[K\(text)".utf8)) }

  /// Writes what is left, and says what ended the command.
  ///
  /// - Parameters:
  ///   - status: how the command ended.
  ///   - sentence: why, where there is something to say.
  /// - Returns: the exit status: where standard output was not taken, that.
  func finish(_ status: ExitStatus, _ sentence: String?) -> ExitStatus {
    flush()
    var status = status
    var sentence = sentence
    if let failure {
      if let sentence { complain(sentence) }
      status = .outputFailed
      sentence = "standard output cannot be written (\(failure))"
    }
    if complainsInJSON {
      if sentence != nil || !complaints.isEmpty {
        let report = JSONDocument.error(sentence, status, warnings: complaints)
        errors(Array((report.text(isPretty: false) + "\n").utf8))
      }
    } else if let sentence {
      complain(sentence)
    }
    return status
  }

  private func flushIfFull() {
    if pending.count >= Self.pieceByteCount { flush() }
  }

  /// Hands on what was written so far.
  func flush() {
    guard !pending.isEmpty else { return }
    if failure == nil { failure = output(pending) }
    pending.removeAll(keepingCapacity: true)
  }
}
