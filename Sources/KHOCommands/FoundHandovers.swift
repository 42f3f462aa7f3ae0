internal import KexecHandover

/// An image, and where in it handovers are, before they are read.
struct FoundHandovers {
  let path: String
  let memory: MemoryImage
  /// What a memory file says of itself; nil of an image.
  let memoryFile: MemoryContents?
  let sources: [HandoverSurvey.Source]
  /// How many root device trees were found and are not to be read.
  let omittedCount: UInt64
  /// The page size that the user or the kernel itself says: it needs no deduction, which damage could
  /// mislead.
  let toldGeometry: PageGeometry?

  /// Reads the handovers in `memory`, which shows what the image holds.
  ///
  /// - Returns: the surveys, and whether anything told the page size.
  func surveys(
    in memory: some PhysicalMemory, _ options: ImageOptions
  ) -> (surveys: [HandoverSurvey], isPageSizeKnown: Bool) {
    var surveyOptions = HandoverSurvey.Options()
    if let chunkBitmap = options.layout.chunkBitmap {
      surveyOptions.chunkBitmapSize = chunkBitmap.size
    }
    if let geometry = toldGeometry {
      let surveys = sources.map {
        HandoverSurvey($0, in: memory, geometry: geometry, options: surveyOptions)
      }
      return (surveys, true)
    }
    let hint = self.memory.machinePageSize
    let (surveys, isDeduced) = PageSizeDeduction.surveys(
      sources, in: memory, hint: hint, options: surveyOptions)
    return (surveys, isDeduced || hint != nil)
  }

  /// Reads the handovers.
  func loaded(_ options: ImageOptions) -> LoadedImage {
    // That of a memory file is read already, and nothing of it may lie behind its memory.
    if let known = memoryFile?.survey, known.geometry == toldGeometry {
      return loaded(
        sources.map { source in
          source == .memory(known.address ?? .zero)
            ? known : HandoverSurvey(source, in: memory, geometry: known.geometry)
        })
    }
    let (surveys, isPageSizeKnown) = surveys(in: memory, options)
    return loaded(surveys, isPageSizeKnown: isPageSizeKnown)
  }

  /// The image with its handovers, which are read already.
  func loaded(_ surveys: [HandoverSurvey], isPageSizeKnown: Bool = true) -> LoadedImage {
    LoadedImage(
      path: path, memory: memory, surveys: surveys, isPageSizeKnown: isPageSizeKnown,
      omittedHandoverCount: omittedCount, memoryFile: memoryFile)
  }
}

extension MemoryImage {
  /// The page size that the kernel noted in the image.
  var notedPageSize: PageGeometry? {
    PageSizeDeduction.candidates.first { $0.pageByteCount == vmcoreInfoPageByteCount }
  }

  /// The page size of the machine, where it has only one.
  var machinePageSize: PageGeometry? { machine == .x86_64 ? .pages4KiB : nil }
}
