internal import ArgumentParser
internal import KexecHandover

extension LoadedImage {
  /// Loads the image at `path` as every command does that names one on its command line, with those
  /// of `options` that have a value.
  ///
  /// For commands that take more than one image.
  ///
  /// - Precondition: the options are some of ``ImageOptions``, with values it takes.
  static func load(
    _ path: String, _ options: [(name: String, value: String?)] = []
  ) throws(CommandFailure) -> LoadedImage {
    let given = options.flatMap { option in option.value.map { [option.name, $0] } ?? [] }
    guard let parsed = try? ImageOptions.parse(given + ["--", path]) else {
      preconditionFailure("options that no command line could hold")
    }
    return try parsed.load()
  }
}
