public import Handover
public import MemoryAccess
import PreservedPages

/// Finds the page size that the handovers in memory were written with, by reading them.
///
/// A handover that is read with the wrong size looks damaged: its pointers miss, or its device tree and its
/// subtrees are not entries.
public enum PageSizeDeduction {
  /// The page sizes of the machines that have KHO; the most common first.
  public static var candidates: [PageGeometry] { [.pages4KiB, .pages16KiB, .pages64KiB] }

  /// The handovers at `sources`, read with the page size that suits them best.
  ///
  /// - Parameters:
  ///   - sources: where the root device trees are.
  ///   - memory: the memory.
  ///   - hint: the size that the machine is known for. Another size is taken only if more handovers can be read
  ///     without an error with it, so damage alone does not mislead.
  ///   - options: how to read each handover.
  /// - Returns: the surveys, and whether the size could be deduced. If it could not, it is the hint, or else 4 KiB.
  /// - Complexity: that of a survey of each source, for each candidate at worst.
  public static func surveys<Memory: PhysicalMemory>(
    _ sources: [HandoverSurvey.Source], in memory: Memory, hint: PageGeometry? = nil,
    options: HandoverSurvey.Options = .init()
  ) -> (surveys: [HandoverSurvey], isDeduced: Bool) {
    var best: (surveys: [HandoverSurvey], score: Score)?
    let sizes = (hint.map { [$0] } ?? []) + candidates.filter { $0 != hint }
    for size in sizes {
      let surveys = sources.map {
        HandoverSurvey($0, in: memory, geometry: size, options: options)
      }
      let score = Score(surveys)
      // No other size can suit as well as one that leaves nothing to find.
      if score.isConclusive { return (surveys, true) }
      guard let known = best else {
        best = (surveys, score)
        continue
      }
      let isBetter =
        hint == nil
        ? score.isBetter(than: known.score) : score.soundCount > known.score.soundCount
      if isBetter { best = (surveys, score) }
    }
    guard let best else { return ([], true) }
    return (best.surveys, best.score.determinesSize)
  }

  /// How well a page size suits.
  private struct Score {
    /// Handovers without an error that hold entries, their own device tree among them.
    var soundCount = 0
    /// Device trees and subtrees that are entries, as they must be: with another size they hardly are.
    var anchorCount = 0
    /// Handovers that hold entries at all.
    var readCount = 0
    var errorCount: UInt64 = 0
    var noteCount = 0

    private let handoverCount: Int

    init(_ surveys: [HandoverSurvey]) {
      handoverCount = surveys.count
      for survey in surveys {
        let hasEntries = (survey.pages?.entryCount ?? 0) > 0
        anchorCount += survey.anchorCount
        errorCount &+= survey.errorCount
        noteCount += survey.findings.count { $0.severity != .error }
        if hasEntries { readCount += 1 }
        if hasEntries, survey.errorCount == 0 { soundCount += 1 }
      }
    }

    var determinesSize: Bool { readCount > 0 }
    var isConclusive: Bool { soundCount == handoverCount && handoverCount > 0 && noteCount == 0 }

    func isBetter(than other: Score) -> Bool {
      if soundCount != other.soundCount { return soundCount > other.soundCount }
      if anchorCount != other.anchorCount { return anchorCount > other.anchorCount }
      // A size with which no entries are found has few errors, and proves nothing.
      if readCount != other.readCount { return readCount > other.readCount }
      if readCount == 0 { return false }
      if errorCount != other.errorCount { return errorCount < other.errorCount }
      return noteCount < other.noteCount
    }
  }
}

extension HandoverSurvey {
  /// How many of the blobs that must be entries are: the device tree and the subtrees.
  fileprivate var anchorCount: Int {
    let isOwnPreserved = pages != nil && address != nil && !missesItself
    return subtrees.count { $0.isPreserved } + (isOwnPreserved ? 1 : 0)
  }
}
