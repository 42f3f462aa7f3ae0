internal import KexecHandover

/// What of an image belongs to its handovers.
struct CapturePlan {
  /// The handovers, read as `inspect` reads them.
  let surveys: [HandoverSurvey]
  /// The memory to be stored.
  private(set) var stored: MemoryMap
  /// All memory of the machine.
  let existing: MemoryMap
  /// The page size, where it came from outside of the handovers.
  let toldGeometry: PageGeometry?

  /// Reads the handovers, and notes what is read.
  init(
    of found: FoundHandovers, _ options: ImageOptions, withContents: Bool
  ) throws(CommandFailure) {
    let image = found.memory
    guard let existing = image.existingMemory, let readable = image.readableMemory else {
      throw .badInput("\(found.path): memory in more than \(MemoryMap.limit) pieces")
    }
    self.existing = existing
    let traced = TracedMemory(image)
    let (surveys, _) = found.surveys(in: traced, options)
    for survey in surveys {
      // Also of a handover that cannot be read as a whole; it checks the records on the way.
      _ = survey.contents(in: traced)
      // `owners` follows every reference, where a check gives up.
      survey.forEachReference(in: traced) { _ in }
      traced.noteBlobs(of: survey)
    }
    self.surveys = surveys
    toldGeometry = found.toldGeometry
    stored = traced.readMemory
    if withContents {
      var ranges = stored.ranges
      for survey in surveys {
        survey.pages?.forEachRun(in: image) { ranges.append($0.range(in: survey.geometry)) }
      }
      stored = MemoryMap(ranges)
    }
    stored = stored.intersection(readable)
  }
}

extension TracedMemory {
  /// Notes the whole blobs of a handover: also of a kind that nobody here reads.
  fileprivate func noteBlobs(of survey: HandoverSurvey) {
    for subtree in survey.subtrees {
      let byteCount = subtree.byteCount ?? UInt64(survey.geometry.pageByteCount)
      if let range = PhysicalRange(checkedStart: subtree.subtree.address, byteCount: byteCount),
        contains(range)
      {
        note(range)
      }
    }
  }
}
