internal import KexecHandover
internal import SystemPackage

extension HandoverImage {
  /// The word that names the running system where an image can be named; a file of that name is
  /// `./live`.
  static var liveName: String { "live" }

  /// Opens the image at `path`, or the running system for ``liveName``.
  static func load(
    _ path: String, _ options: Options, _ liveRoot: LiveRoot
  ) throws(CommandFailure) -> HandoverImage {
    try load(
      path == liveName ? .runningSystem(root: liveRoot.folder) : .file(FilePath(path)), options)
  }

  /// Opens the image, and shows how far it has come.
  static func load(
    _ source: Source, _ options: Options
  ) throws(CommandFailure) -> HandoverImage {
    let progress = CommandProgress("scanned", of: nil)
    defer { progress.end() }
    do throws(HandoverImageError) {
      let image = try open(source, options: options) { progress.report($0, of: $1) }
      if image.changedWhileRead {
        Console.current.complain(
          "live: read twice; still, what is missing may be due to changes while it was read")
      }
      Console.current.complain(of: image.memory, name: image.name)
      if let remark = image.holeRemark { Console.current.complain(remark) }
      return image
    } catch {
      throw .badInput(error, of: source)
    }
  }

  /// The first handover that can be read; says on standard error where there are others.
  ///
  /// - Parameter option: what chooses another.
  /// - Throws: `CommandFailure` if none can be read.
  func firstReadable(choosingWith option: String) throws(CommandFailure) -> HandoverSurvey {
    let survey: HandoverSurvey
    do throws(HandoverImageError) { survey = try firstReadable } catch {
      throw .badInput("\(name): \(error.sentence)")
    }
    complainAboutOmissions()
    let readableCount = surveys.count { $0.error == nil }
    if readableCount > 1 {
      Console.current.complain(
        "\(name): of \(readableCount) handovers that can be read, this is the one at "
          + "\(survey.address?.description ?? "no address"), the first; choose another with \(option)"
      )
    }
    return survey
  }

  /// Says on standard error what was left out of the output, and what of the image cannot be read.
  func complainAboutOmissions() {
    for remark in remarks { Console.current.complain(remark) }
  }
}

extension Console {
  /// Says on standard error what a file lacks of the memory, and keeps it for the exit status.
  func complain(of memory: MemoryImage, name: String) {
    guard let shortfall = memory.shortfall else { return }
    complain("\(name): \(shortfall)")
    inputIsPartial = true
  }
}

extension HandoverImage {
  /// Ends the command where a part of the image could not be read, once all that could was printed.
  ///
  /// - Throws: what was not read: a handover, found root device trees beyond those that are read, pages.
  ///   Of the running system, where the nodes of the incoming handover are free memory by now, only
  ///   where no handover could be read.
  func requireWhole() throws(CommandFailure) {
    let failed = surveys.filter { $0.error != nil }
    let isLive = name == Self.liveName
    if let survey = failed.first, let error = survey.error,
      !isLive || failed.count == surveys.count
    {
      throw .badInput("\(name): \(survey.title): \(error.sentence)")
    }
    try requireAllFound()
  }

  /// Ends the command where root device trees were found and not read, or pages of the image were not.
  func requireAllFound() throws(CommandFailure) {
    if omittedHandoverCount > 0 { throw CommandFailure(status: .inputFailed, sentence: nil) }
    try requireUndamaged()
  }

  /// Ends the command where pages of the image could not be read; ``complainAboutOmissions()`` says which.
  func requireUndamaged() throws(CommandFailure) {
    if hasDamagedPages { throw CommandFailure(status: .inputFailed, sentence: nil) }
  }

  private var hasDamagedPages: Bool {
    if case .kdump(let dump) = memory { dump.damage != nil } else { false }
  }

  /// Whether the file lacks some of its memory, or pages of it could not be read.
  var isIncomplete: Bool { memory.shortfall != nil || hasDamagedPages }
}

extension CommandFailure {
  /// An image that cannot be opened, or holds no handover.
  static func badInput(
    _ error: HandoverImageError, of source: HandoverImage.Source
  ) -> CommandFailure {
    switch error {
    // The sentence begins with the path of the file that is meant.
    case .deviceTreeFile, .deviceTreeFileTooLarge: .badInput(error.sentence)
    case .noHandoverInPart:
      CommandFailure(
        status: .inputFailed, sentence: "\(source.name): \(error.sentence)")
    default: .badInput("\(source.name): \(error.sentence)")
    }
  }
}
