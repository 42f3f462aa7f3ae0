internal import KexecHandover

/// One of the two handovers that are compared.
struct DiffSide {
  let path: String
  let memory: MemoryImage
  let survey: HandoverSurvey

  /// Chooses a handover of `image`: the first that can be read.
  ///
  /// - Throws: where none can.
  init(_ image: LoadedImage) throws(CommandFailure) {
    survey = try image.firstReadable(choosingWith: "--fdt-address-a or --fdt-address-b")
    path = image.path
    memory = image.memory
  }

  /// The entries, one run at a time.
  func runs() -> () -> SizedRun? {
    guard let pages = survey.pages else { return { nil } }
    var runs = pages.runs(in: memory)
    let geometry = survey.geometry
    return { runs.next().map { SizedRun($0, in: geometry) } }
  }

  var title: String {
    "\(printable(path)), \(survey.title): \(printable(survey.deviceTree?.compatible ?? "?")), "
      + "\(byteText(UInt64(survey.geometry.pageByteCount))) pages"
  }
}
