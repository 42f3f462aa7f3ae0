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
      image.complainOfHole()
      return image
    } catch {
      throw .badInput(error, of: source)
    }
  }

  /// Says on standard error what to try where raw memory seems to lack a hole.
  private func complainOfHole() {
    guard let hole = missingHole() else { return }
    let found =
      "\(name): the handover of the root device tree at \(hole.deviceTree) is not whole: "
    guard let machine = hole.machine, let address = hole.placedDeviceTree else {
      Console.current.complain(
        found
          + "if the file lacks a hole that the machine's memory has, give the place of each part with"
          + " --base OFFSET=ADDR, or the kind of virtual machine with --vmm")
      return
    }
    Console.current.complain(
      found
        + "the file probably lacks the hole below 4 GiB; with --vmm \(machine.rawValue) it is whole, at"
        + " \(address)")
  }

  /// The first handover that can be read; says on standard error where there are others.
  ///
  /// - Parameter option: what chooses another.
  /// - Throws: where none can be read.
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
    if case .kdump(let dump) = memory, let damage = dump.damage {
      Console.current.complain(
        "\(name): damaged; the page at \(damage.first.address) could not be read:"
          + " \(damage.first.reason)")
    }
    for note in notes {
      switch note {
      case .incomingUsedUp(let address):
        Console.current.complain(
          "\(name): the handover that this kernel received\(address.map { ", at \($0)," } ?? "") is left "
            + "out: the kernel has restored it and uses its memory for something else")
      case .deviceTreeCut(let byteCount):
        Console.current.complain(
          "\(name): the given root device tree is cut off after \(countText(UInt64(byteCount), "byte")), and "
            + "the whole is not among what is preserved; only the entries are read")
      }
    }
    if case .avml(let dump) = memory, let damage = dump.damage {
      Console.current.complain(
        "\(name): damaged; the chunk with the page at \(damage.first) could not be read")
    }
    guard omittedHandoverCount > 0 else { return }
    Console.current.complain(
      "\(name): \(omittedHandoverCount) more root device trees were found and not read; name "
        + "one with --fdt-address")
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
    if case .kdump(let dump) = memory, dump.damage != nil {
      throw CommandFailure(status: .inputFailed, sentence: nil)
    }
  }
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
