public import Handover
public import MemoryAccess
public import MemoryImages
public import PreservedPages

/// The handover that a map shows, and the stretch of memory.
public struct MapSubject: Sendable {
  /// The name of the image.
  public let name: String
  /// The memory.
  public let memory: MemoryImage
  /// The handover.
  public let survey: HandoverSurvey
  /// What it preserves.
  public let pages: PreservedPagesSurvey
  /// What is shown: all of what is preserved, or what was asked for.
  public let range: PhysicalRange
  /// Scratch areas, as the image or the user names them: a handover does not contain them.
  public let scratch: [PhysicalRange]

  /// The handover `survey` of `image`, in `range` or, where that is nil, from its first byte to its last.
  ///
  /// - Throws: ``HandoverImageError/nothingPreserved(_:)``.
  public init(
    _ survey: HandoverSurvey, of image: HandoverImage, range: PhysicalRange?,
    scratch: [PhysicalRange]
  ) throws(HandoverImageError) {
    self.survey = survey
    name = image.name
    memory = image.memory
    self.scratch = scratch
    guard let pages = survey.pages else {
      throw .nothingPreserved(survey.title)
    }
    self.pages = pages
    if let range {
      self.range = range
      return
    }
    var lowest: UInt64 = .max
    var highest: UInt64 = 0
    func include(_ range: PhysicalRange) {
      guard let last = range.last else { return }
      lowest = min(lowest, range.start.rawValue)
      highest = max(highest, last.rawValue)
    }
    let geometry = survey.geometry
    pages.forEachRun(in: image.memory) { include($0.range(in: geometry)) }
    for node in pages.nodes { include(PhysicalRange(start: node, byteCount: 1)) }
    if let address = survey.address { include(PhysicalRange(start: address, byteCount: 1)) }
    for area in scratch { include(area) }
    guard lowest <= highest else {
      throw .nothingPreserved(survey.title)
    }
    // All 2^64 bytes have no length; the missing last page does not matter.
    let span = min(highest - lowest, .max - 1)
    self.range = PhysicalRange(start: PhysicalAddress(lowest), byteCount: span + 1)
  }

  /// The page size, and what follows from it.
  public var geometry: PageGeometry { survey.geometry }

  /// The pages of the root device tree; nil where it was given apart from memory.
  public var deviceTreeRange: PhysicalRange? {
    guard let address = survey.address, let tree = survey.deviceTree else { return nil }
    return PhysicalRange(checkedStart: address, byteCount: UInt64(tree.byteCount))
  }

  /// The contents of memory, in at most `cellLimit` cells.
  public func grid(cellLimit: Int) -> MapGrid {
    var grid = MapGrid(range, cellLimit: cellLimit, geometry: geometry)
    for area in scratch { grid.addScratch(area) }
    grid.add(pages, in: memory)
    if let deviceTreeRange { grid.addDeviceTree(deviceTreeRange) }
    return grid
  }

  /// The contents of memory, in rows of `columnCount` cells, as fine as `rowCount` rows allow where those
  /// without anything are left out.
  public func grid(columnCount: Int, rowCount: Int) -> MapGrid {
    // The entries are walked once, into cells that may be too fine.
    var grid = grid(cellLimit: columnCount * rowCount * 64)
    while grid.rows(of: columnCount).count > rowCount { grid = grid.halved() }
    return grid
  }

  /// One line: what is shown.
  public var title: String {
    "\(printable(name)), \(survey.title): \(byteText(pages.preservedByteCount)) preserved in "
      + countText(pages.entryCount, "entry", "entries")
  }
}
