internal import ArgumentParser
internal import KexecHandover

extension LoadedImage {
  /// Loads the image at `path` as every command does that names one on its command line, with those
  /// of `options` that have a value.
  ///
  /// For commands that take more than one image. There, `live` stands for the running system, whose
  /// files lie in `liveRoot`.
  ///
  /// - Precondition: the options are some of ``ImageOptions``, with values it takes; none is `--base`
  ///   where the running system is read.
  static func load(
    _ path: String, _ options: [(name: String, value: String?)] = [],
    liveRoot: String = "/"
  ) throws(CommandFailure) -> LoadedImage {
    let given = options.flatMap { option in option.value.map { [option.name, $0] } ?? [] }
    let memory = path == liveName ? ["--live", "--live-root", liveRoot] : ["--", path]
    guard let parsed = try? ImageOptions.parse(given + memory) else {
      preconditionFailure("options that no command line could hold")
    }
    return try parsed.load()
  }

  /// What stands for the running system where an image could be named; a file of that name is `./live`.
  static var liveName: String { "live" }
}

extension LoadedImage {
  /// The first handover that can be read; says on standard error where there are others.
  ///
  /// - Parameter option: what chooses another.
  /// - Throws: where none can be read.
  func firstReadable(choosingWith option: String) throws(CommandFailure) -> HandoverSurvey {
    let readable = surveys.filter { $0.error == nil }
    guard let survey = readable.first else {
      throw .badInput("\(path): \(surveys.first?.error?.sentence ?? "no handover")")
    }
    complainAboutOmissions()
    if readable.count > 1 {
      Console.current.complain(
        "kho: \(path): of \(readable.count) handovers that can be read, this is the one at "
          + "\(survey.address?.description ?? "no address"), the first; choose another with \(option)"
      )
    }
    return survey
  }
}
