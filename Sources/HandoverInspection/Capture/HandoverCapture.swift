import Handover
import MemoryAccess
public import MemoryImages
import PreservedPages

/// A small image of just the handovers of a large one.
///
/// It holds everything that the readers of this library read of the handovers, so they find the same
/// in it: root device trees, tree nodes or chunks and bitmaps, registered blobs, and the records that
/// they refer to.
public struct HandoverCapture: Sendable {
  /// The captured image with its handovers.
  public let image: HandoverImage
  /// The memory to be stored.
  public let stored: MemoryMap
  /// All memory of the machine.
  public let existing: MemoryMap

  /// The page size, where it came from outside of the handovers.
  private let knownGeometry: PageGeometry?

  /// Opens an image, reads its handovers, and notes what is read.
  ///
  /// A running system is read a second time where a handover appears to be damaged.
  ///
  /// - Parameters:
  ///   - source: where the memory comes from.
  ///   - options: how to read it.
  ///   - withContents: whether to store the preserved pages too.
  ///   - progress: called as by `HandoverImage.open`.
  /// - Throws: as that, and ``HandoverImageError/memoryInTooManyPieces``.
  public init(
    of source: HandoverImage.Source, options: HandoverImage.Options = .init(),
    withContents: Bool = false, progress: HandoverImage.SearchProgress = { _, _ in }
  ) throws(HandoverImageError) {
    let capture = try Self(
      FoundHandovers(in: source, options, progress), withContents: withContents)
    guard case .runningSystem = source, capture.image.surveys.contains(where: { $0.error != nil })
    else {
      self = capture
      return
    }
    self = try Self(FoundHandovers(in: source, options, progress), withContents: withContents)
  }

  private init(_ found: FoundHandovers, withContents: Bool) throws(HandoverImageError) {
    let memory = found.memory
    guard let existing = memory.existingMemory, let readable = memory.readableMemory else {
      throw .memoryInTooManyPieces
    }
    self.existing = existing
    let traced = TracedMemory(memory)
    let (surveys, _) = found.surveys(in: traced)
    for survey in surveys {
      // Also of a handover that cannot be read as a whole; it checks the records on the way.
      var options = HandoverContents.Options()
      // A capture leaves contents out, those that have a checksum too.
      options.readsFolios = false
      _ = survey.contents(in: traced, options: options)
      // `owners` follows every reference, where a check gives up.
      survey.forEachReference(in: traced) { _ in }
      traced.noteBlobs(of: survey)
    }
    image = found.loaded(surveys)
    knownGeometry = found.knownGeometry
    var stored = traced.readMemory
    if withContents {
      var ranges = stored.ranges
      for survey in surveys {
        survey.pages?.forEachRun(in: memory) { ranges.append($0.range(in: survey.geometry)) }
      }
      stored = MemoryMap(ranges)
    }
    self.stored = stored.intersection(readable)
  }

  /// Writes the capture as an ELF core file, from ``image``'s memory.
  public var writer: CoreFileWriter {
    var writer = CoreFileWriter(existing: existing, stored: stored)
    writer.machine = image.memory.machine
    writer.vmcoreInfo =
      image.memory.vmcoreInfo
      ?? knownGeometry.map { Array("PAGESIZE=\($0.pageByteCount)\n".utf8) }
    return writer
  }
}

extension TracedMemory {
  /// Notes the whole blobs of a handover: also those of a format that is not known.
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
