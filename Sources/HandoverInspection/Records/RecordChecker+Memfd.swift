import Handover
import MemoryAccess
import PreservedPages

/// A memfd while its folios are read.
struct CheckedMemfd {
  let record: MemfdRecord
  /// The pages of the file.
  let pageCount: UInt64
  /// The page of the file behind the last one of the folios so far.
  var nextIndex: UInt64 = 0
  /// Whether a folio is before, or overlaps, one that was listed earlier.
  var isUnordered = false
  /// The number of folios that were read, holes included.
  var folioCount: UInt64 = 0
  /// The number of pages of the file that these folios are, holes not included.
  var coveredPageCount: UInt64 = 0

  init(_ record: MemfdRecord, in geometry: PageGeometry) {
    self.record = record
    let pageByteCount = UInt64(geometry.pageByteCount)
    pageCount = record.byteSize / pageByteCount &+ (record.byteSize % pageByteCount == 0 ? 0 : 1)
  }
}

/// The rules of memfds and of the self-test's checksum.
///
/// Linux puts each folio where its record says, in whatever order the list is; it refuses a place that is taken,
/// and what is behind the end of the file cannot be read any more.
extension RecordChecker {
  /// F_SEAL_SEAL to F_SEAL_EXEC, and MFD_CLOEXEC to MFD_EXEC; the page size of MFD_HUGETLB is above.
  private static var knownSeals: UInt32 { 0x3f }
  private static var knownFlags: UInt32 { 0x1f }
  /// The most folios whose places are kept, to find overlaps and gaps.
  private static var unorderedLimit: Int { 1 << 22 }

  mutating func check(_ record: MemfdRecord) {
    if record.byteSize > UInt64(Int64.max) {
      findings.append(.memfd(file, .sizeImpossible(record.byteSize)))
    }
    if record.seals & ~Self.knownSeals != 0 {
      findings.append(.memfd(file, .sealsUnknown(record.seals)))
    }
    if record.flags & ~Self.knownFlags != 0 {
      findings.append(.memfd(file, .flagsUnknown(record.flags)))
    }
  }

  /// Checks the place in the file of a folio of that order.
  mutating func checkPlace(of folio: MemfdFolio, order: PageOrder) {
    guard let memfd else { return }
    let size = order.frameCount
    if folio.pageIndex >= memfd.pageCount {
      findings.append(.memfd(file, .indexBeyondEnd(folio.address, pageIndex: folio.pageIndex)))
    }
    if folio.pageIndex & (size &- 1) != 0 {
      findings.append(.memfd(file, .indexUnaligned(folio.address, pageIndex: folio.pageIndex)))
    }
    let (end, overflow) = folio.pageIndex.addingReportingOverflow(size)
    if folio.pageIndex < memfd.pageCount {
      // The last folio may reach behind the end of the file.
      let count = min(size, memfd.pageCount &- folio.pageIndex)
      self.memfd?.coveredPageCount = memfd.coveredPageCount.addingSaturated(count)
    }
    self.memfd?.nextIndex = max(memfd.nextIndex, overflow ? .max : end)
    guard folio.pageIndex < memfd.nextIndex, !memfd.isUnordered else { return }
    self.memfd?.isUnordered = true
    checkOverlaps(of: memfd.record, from: folio)
  }

  /// Checks that the folios are the whole file, once the last one was read.
  mutating func checkCoverage() {
    guard let memfd, memfd.folioCount == memfd.record.folioCount,
      memfd.record.byteSize <= UInt64(Int64.max), memfd.coveredPageCount < memfd.pageCount
    else { return }
    let count = memfd.pageCount &- memfd.coveredPageCount
    let first = firstPageMissing(in: memfd.record)
    findings.append(.memfd(file, .pagesMissing(count, first: first)))
  }

  /// The first page of the file that no folio has; nil if the list is too long.
  private mutating func firstPageMissing(in record: MemfdRecord) -> UInt64? {
    let places = places(of: record)
    guard places.count < Self.unorderedLimit else { return nil }
    var next: UInt64 = 0
    for place in places {
      guard place.index <= next else { break }
      next = max(next, place.index.addingSaturated(place.count))
    }
    return next
  }

  /// A folio's place in the file.
  private typealias Place = (index: UInt64, count: UInt64, address: PhysicalAddress)

  /// The places of the folios in the order of the file, at most ``unorderedLimit`` of them.
  private mutating func places(of record: MemfdRecord) -> [Place] {
    var places: [Place] = []
    var folios = MemfdFolios(of: record, in: memory, geometry: geometry)
    while places.count < Self.unorderedLimit, let folio = try? folios.next() {
      if folio.isHole { continue }
      let entry = lookup.block(holding: folio.address)
      let count = entry?.address == folio.address ? entry?.order.frameCount ?? 1 : 1
      places.append((folio.pageIndex, count, folio.address))
    }
    places.sort { ($0.index, $0.address) < ($1.index, $1.address) }
    return places
  }

  /// Looks for folios that share a place, in a list that is not in the order of the file.
  private mutating func checkOverlaps(of record: MemfdRecord, from first: MemfdFolio) {
    var overlaps = false
    var end: UInt64 = 0
    for (position, place) in places(of: record).enumerated() {
      if position > 0, place.index < end {
        overlaps = true
        findings.append(.memfd(file, .indicesOverlap(place.address, pageIndex: place.index)))
      }
      end = max(end, place.index.addingSaturated(place.count))
    }
    if !overlaps {
      findings.append(.memfd(file, .outOfOrder(first.address, pageIndex: first.pageIndex)))
    }
  }

  /// Sums up the folios of the self-test, where all of them can be read.
  ///
  /// The sum depends on the machine; nothing in the record says which one wrote it.
  mutating func checkChecksum(of record: KHOTestRecord) {
    var sums = [KHOTestChecksum(.x86_64), KHOTestChecksum(.arm64)]
    var folios = KHOTestFolios(of: record, in: memory, geometry: geometry)
    var remaining = memory.byteCount
    var count: UInt32 = 0
    do throws(RecordError) {
      while let folio = try folios.next() {
        let byteCount = geometry.blockByteCount(folio.order)
        guard byteCount <= remaining else { return }
        remaining &-= byteCount
        count &+= 1
        let range = folio.range(in: geometry)
        let isRead = memory.withBytes(in: range) { bytes in
          for index in sums.indices { sums[index].add(bytes) }
          return true
        }
        guard isRead ?? false else { return }
      }
    } catch {
      return
    }
    guard count == record.folioCount, !sums.map(\.value).contains(record.checksum) else { return }
    findings.append(
      .checksumWrong(
        .subtree(KHOTestRecord.subtreeName), stored: record.checksum, computed: sums.map(\.value)))
  }
}
