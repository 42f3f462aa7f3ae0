/// Stretches of pages, as many as a page of HTML can hold: exact if they are few; if they are more, neighbours are
/// merged.
public struct MapSegments: Sendable {
  /// Pages that follow each other, or, once merged, what is between the first and the last.
  public struct Segment: Equatable, Sendable {
    /// The number of the first page.
    public let firstPage: UInt64
    /// The number of pages.
    public var pageCount: UInt64
    /// How many of the pages are meant; fewer than ``pageCount`` only of merged ones.
    public var usedPageCount: UInt64
    /// The order and the owner of most of them.
    public var order: Int
    /// The number of the owner; -1 of nodes.
    public var owner: Int
    /// How many pages those are.
    fileprivate var weight: UInt64

    fileprivate var endPage: UInt64 { firstPage + pageCount }
  }

  /// The stretches, by address.
  public private(set) var segments: [Segment] = []
  /// log2 of the pages within which segments were merged; 0 where all are exact.
  public private(set) var log2MergedPageCount = 0

  private let limit: Int

  /// - Precondition: `limit` is 2 or more.
  public init(limit: Int) {
    precondition(limit >= 2, "no room for segments")
    self.limit = limit
  }

  /// Adds pages.
  ///
  /// - Precondition: `firstPage` is not below that of the call before, `pageCount` is 1 or more, and the pages end at 2^60 or below.
  /// - Complexity: O(1), amortised.
  public mutating func add(firstPage: UInt64, pageCount: UInt64, order: Int, owner: Int) {
    let segment = Segment(
      firstPage: firstPage, pageCount: pageCount, usedPageCount: pageCount, order: order,
      owner: owner, weight: pageCount)
    append(segment)
    while segments.count > limit { coarsen() }
  }

  private mutating func append(_ segment: Segment) {
    guard let last = segments.last else {
      segments.append(segment)
      return
    }
    let continues =
      last.endPage == segment.firstPage && last.order == segment.order
      && last.owner == segment.owner && last.usedPageCount == last.pageCount
      && segment.usedPageCount == segment.pageCount
    let granule = UInt64(log2MergedPageCount)
    let isNear =
      granule > 0 && last.firstPage >> granule == (segment.endPage - 1) >> granule
    guard continues || isNear else {
      segments.append(segment)
      return
    }
    var merged = last
    merged.pageCount = max(last.endPage, segment.endPage) - last.firstPage
    merged.usedPageCount += segment.usedPageCount
    if last.order == segment.order, last.owner == segment.owner {
      merged.weight += segment.weight
    } else if segment.weight > last.weight {
      merged.order = segment.order
      merged.owner = segment.owner
      merged.weight = segment.weight
    }
    segments[segments.count - 1] = merged
  }

  /// Merges until half of the room is free again.
  private mutating func coarsen() {
    while segments.count > limit / 2 {
      log2MergedPageCount += 1
      let old = segments
      segments.removeAll(keepingCapacity: true)
      for segment in old { append(segment) }
    }
  }

  /// All numbers in a row, for a script: of each segment the distance from the end of the one before,
  /// its pages, its used pages or 0 where those are all, order, and owner + 1.
  public var numbers: String {
    var text = ""
    var position: UInt64 = 0
    for segment in segments {
      let distance = Int64(segment.firstPage) - Int64(position)
      let used = segment.usedPageCount == segment.pageCount ? 0 : segment.usedPageCount
      if !text.isEmpty { text += "," }
      text += "\(distance),\(segment.pageCount),\(used),\(segment.order),\(segment.owner + 1)"
      position = segment.endPage
    }
    return text
  }
}
