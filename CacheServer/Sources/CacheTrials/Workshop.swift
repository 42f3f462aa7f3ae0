internal import TrialSupport

/// What a trial works with: a folder, ports, and the report that it fills.
final class Workshop {
  let options: SharedOptions
  /// The folder of all files, which is removed at the end.
  let folder: String
  private var ports = FreePorts()
  private var serverCount = 0
  private(set) var report: Report
  private let startTime = SystemCalls.monotonicNanoseconds
  private var lastProgress: UInt64

  init(_ options: SharedOptions, title: String, folder: String) {
    self.options = options
    self.folder = folder
    report = Report(title: title)
    lastProgress = startTime
  }

  func takePort() -> UInt16 { ports.take() }

  /// A folder for one server.
  func makeFolder(_ name: String) throws -> String {
    serverCount += 1
    let path = "\(folder)/\(serverCount)-\(name)"
    try SystemCalls.makeFolder(path)
    return path
  }

  /// Reports progress to the user, at most once a second.
  func progress(_ text: @autoclosure () -> String) {
    let now = SystemCalls.monotonicNanoseconds
    guard now - lastProgress > 1_000_000_000 else { return }
    lastProgress = now
    SystemCalls.writeToStandardError(
      "[\((now - startTime) / 1_000_000_000) s] \(text())\n")
  }

  /// - Throws: ``TrialFailure`` on a machine with one core.
  func requireTwoCores() throws {
    guard SystemCalls.coreCount > 1 else {
      throw TrialFailure("one core is for the server and one for the clients: two are needed")
    }
  }

  /// Adds what was to be shown, and whether it was.
  func claim(_ text: String, _ isHeld: Bool, _ detail: String = "") {
    report.claims.append(Report.Claim(text: text, isHeld: isHeld, detail: detail))
  }

  /// Adds a line of text.
  func note(_ text: String) { report.notes.append(text) }

  /// Adds a table.
  func add(_ table: Report.Table) { report.tables.append(table) }
}

/// Runs a trial in the process that works, and prints its report.
enum TrialRunner {
  /// - Returns: whether everything held.
  static func run(_ trial: any Trial, in folder: String) -> Bool {
    let workshop = Workshop(trial.shared, title: type(of: trial).title, folder: folder)
    do { try trial.run(in: workshop) } catch {
      workshop.claim("the trial came to its end", false, "\(error)")
    }
    print(trial.shared.json ? workshop.report.json.text : workshop.report.text)
    return workshop.report.isHeld
  }
}
