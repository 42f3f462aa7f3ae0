internal import KexecHandover

/// Reads `bytes` as the file of a memory image, finds what may be handovers, and reads them with
/// every page size; traps where a promise of the readers does not hold.
///
/// A file that begins like an ELF or a compressed dump is one. Of any other, the last byte chooses
/// where in memory the rest is, and whether it is read through a file.
public func fuzzImage(_ bytes: RawSpan) {
  guard bytes.byteCount > 1 else { return }
  // "\u{7f}ELF"; "KDUMP   "; "make", as "makedumpfile" begins.
  if bytes.uint32(atByte: 0) == 0x464c_457f || bytes.word(atByte: 0) == 0x2020_2050_4d55_444b
    || bytes.uint32(atByte: 0) == 0x656b_616d
  {
    return examineFile(bytes, base: nil)
  }
  let choice = bytes.byte(at: bytes.byteCount - 1) ?? 0
  let memoryBytes = bytes.extracting(0..<bytes.byteCount - 1)
  let base = baseAddress(choice, byteCount: UInt64(memoryBytes.byteCount))
  if choice & 0x80 != 0 {
    examineFile(memoryBytes, base: base)
  } else {
    examine(ByteMemory(bytes: memoryBytes.copiedBytes(), base: base))
  }
}

/// Ends a walk that takes too long.
private struct Enough: Error {}

private func examineFile(_ bytes: RawSpan, base: PhysicalAddress?) {
  let file = ScratchFile(bytes)
  withExtendedLifetime(file) {
    if let image = try? MemoryImage.open(file.path, base: base) { examine(image) }
  }
}

/// Where raw memory is: at the start of the address space, somewhere in it, or at its very end.
private func baseAddress(_ choice: UInt8, byteCount: UInt64) -> PhysicalAddress {
  switch choice & 7 {
  case 0: .zero
  case 1: PhysicalAddress(0x1000)
  case 2: PhysicalAddress(0x10_0000)
  case 3: PhysicalAddress(0x4000_0000)
  case 4: PhysicalAddress(1 << 40)
  case 5: PhysicalAddress(1 << 63)
  case 6: PhysicalAddress(0 &- byteCount)
  default: PhysicalAddress((0 &- byteCount) & ~0xffff)
  }
}

/// Memory that is an array.
private struct ByteMemory: PhysicalMemory {
  let bytes: [UInt8]
  let range: PhysicalRange

  init(bytes: [UInt8], base: PhysicalAddress) {
    self.bytes = bytes
    range = PhysicalRange(start: base, byteCount: UInt64(bytes.count))
  }

  var byteCount: UInt64 { range.byteCount }

  func contains(_ other: PhysicalRange) -> Bool { range.contains(other) }

  func withBytes<Result: ~Copyable, Failure: Error>(
    in wanted: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard range.contains(wanted) else { return nil }
    let offset = wanted.isEmpty ? 0 : Int(wanted.start.rawValue - range.start.rawValue)
    return try bytes.withRawSpan { bytes throws(Failure) in
      try body(bytes.extracting(offset..<offset + Int(wanted.byteCount)))
    }
  }

  func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    guard let last = range.last, address <= last else { return nil }
    let start = max(address, range.start)
    return PhysicalRange(start: start, byteCount: last.rawValue - start.rawValue + 1)
  }
}

/// The page sizes of machines, and toy sizes, with which a small input holds a deep tree.
private let geometries = [6, 9, 12, 14, 16].map(PageGeometry.init(shift:))

private func examine(_ memory: some PhysicalMemory) {
  checkRanges(of: memory)
  let scanner = HandoverScanner(memory)
  promise(scanner.addresses == scanner.addresses.sorted(), "addresses not sorted")
  let (surveys, _) = PageSizeDeduction.surveys(
    scanner.addresses.prefix(4).map { .memory($0) }, in: memory)
  for survey in surveys { check(survey, in: memory) }

  guard let start = memory.storedRange(atOrAfter: .zero)?.start else { return }
  let sources = scanner.addresses.isEmpty ? [start] : Array(scanner.addresses.prefix(2))
  for geometry in geometries {
    for source in sources {
      var options = HandoverSurvey.Options()
      // In a smaller page the small bitmaps would overlap.
      let isSmall = source.rawValue & 0x1000 != 0 && geometry.pageByteCount >= 512
      options.chunkBitmapSize = isSmall ? .bytes512 : .deduced
      check(
        HandoverSurvey(.memory(source), in: memory, geometry: geometry, options: options),
        in: memory)
    }
  }

  // Without a device tree: the first word points to a tree and to a list.
  let word = memory.withBytes(in: PhysicalRange(start: start, byteCount: 1)) { _ in
    PhysicalRange(checkedStart: start, byteCount: 8)
  }
  guard scanner.addresses.isEmpty, let first = word ?? nil,
    let pointer = memory.withBytes(in: first, { $0.word(atByte: 0) }) ?? nil
  else { return }
  for geometry in geometries {
    for shape in [RadixGeometry(geometry), .version2(geometry)] {
      let reader = RadixTreeReader(memory, geometry: shape, root: PhysicalAddress(pointer))
      check(PreservedPagesSurvey(reader), in: memory)
    }
    check(
      PreservedPagesSurvey(
        chunkListAt: PhysicalAddress(pointer), in: memory, geometry: geometry),
      in: memory)
  }
}

/// The stored ranges can be read, do not overlap, and hold no more than the memory says.
private func checkRanges(of memory: some PhysicalMemory) {
  var next: PhysicalAddress? = .zero
  var sum: UInt64 = 0
  while let from = next, let range = memory.storedRange(atOrAfter: from), let last = range.last {
    promise(range.start >= from, "a stored range that starts too early")
    promise(memory.contains(range), "a stored range that is not in memory")
    let count = memory.withBytes(in: range) { $0.byteCount }
    promise(
      count == Int(range.byteCount) || (count == nil && memory.isDamaged),
      "a stored range that cannot be read")
    sum += range.byteCount
    next = last.rawValue == .max ? nil : PhysicalAddress(last.rawValue + 1)
  }
  promise(sum <= memory.byteCount, "more is stored than memory holds")
}

extension PhysicalMemory {
  /// Whether a compressed dump lacks pages that it should contain, because they are damaged or the file ends early.
  fileprivate var isDamaged: Bool {
    guard case .kdump(let dump) = self as? MemoryImage else { return false }
    return dump.damage != nil || dump.shortfall != nil
  }
}

private func check(_ survey: HandoverSurvey, in memory: some PhysicalMemory) {
  let findings = survey.findings
  promise(
    (survey.error != nil) == findings.contains(where: \.hidesEntries), "an error without a finding")
  let errorCount = UInt64(findings.count { $0.severity == .error })
  promise(
    survey.errorCount >= errorCount && survey.errorCount <= errorCount + survey.omittedFindingCount,
    "errors miscounted")
  let records = survey.checkRecords(in: memory)
  let recordErrors = UInt64(records.findings.count { $0.severity == .error })
  promise(records.errorCount >= recordErrors, "errors of records miscounted")
  if let pages = survey.pages {
    check(pages, in: memory)
    checkContents(of: survey, pages, records, in: memory)
    checkOwners(of: survey, pages, in: memory)
  }
}

/// The blobs are all there, with the findings that checking them alone makes, and no file is longer
/// than it says.
private func checkContents(
  of survey: HandoverSurvey, _ pages: PreservedPagesSurvey, _ records: RecordFindingList,
  in memory: some PhysicalMemory
) {
  var options = HandoverContents.Options()
  options.keepsPageMaps = true
  options.recordLimit = 500
  let contents = survey.contents(in: memory, options: options)
  promise(contents.subtrees.map(\.subtree) == survey.subtrees, "a blob is missing")
  let isSame = survey.error != nil || contents.findings.findings == records.findings
  promise(isSame, "other findings than those of the records alone")
  for subtree in contents.subtrees {
    promise(subtree.head.count <= SubtreeContents.largestHeadByteCount, "a head too long")
    guard case .liveUpdate(let record) = subtree.record else { continue }
    for file in record.sessions.flatMap(\.files).prefix(20) {
      guard let memfd = file.memfd else { continue }
      check(MemfdExtents(of: memfd.record, pages, in: memory), of: memfd.record)
    }
  }
}

/// The stretches of a file are as long as it, but where one cannot be read.
private func check<Memory: PhysicalMemory>(
  _ extents: MemfdExtents<Memory>, of record: MemfdRecord
) {
  var extents = extents
  var byteCount: UInt64 = 0
  do throws(RecordError) {
    while let extent = try extents.next() {
      let (sum, overflow) =
        switch extent {
        case .stored(let range): byteCount.addingReportingOverflow(range.byteCount)
        case .zeros(let count): byteCount.addingReportingOverflow(count)
        }
      promise(!overflow && sum > byteCount, "an empty stretch, or one too long")
      byteCount = sum
    }
    promise(byteCount == record.byteSize, "a file of another length than its record says")
  } catch {
    promise(byteCount <= record.byteSize, "a file longer than its record says")
  }
}

/// Every byte of every entry has one account, however few claims are kept at a time.
private func checkOwners(
  of survey: HandoverSurvey, _ pages: PreservedPagesSurvey, in memory: some PhysicalMemory
) {
  let owners = survey.owners(in: memory)
  promise(owners.entryCount == pages.entryCount, "entries without an account, or with two")
  promise(owners.byteCount == pages.preservedByteCount, "bytes without an account, or with two")
  let claimed = owners.accounts.allSatisfy {
    $0.claimedByteCount <= $0.byteCount && $0.disputedByteCount <= $0.claimedByteCount
  }
  promise(claimed, "more claimed than there is")
  // With few claims at a time, the records are walked for each window.
  guard owners.accounts.count < 50, memory.byteCount < 1 << 16 else { return }
  let other = survey.owners(in: memory, claimLimit: 3)
  promise(other.accounts == owners.accounts, "another account with few claims at a time")
  promise(other.unowned == owners.unowned, "another rest with few claims at a time")
}

private func check(_ pages: PreservedPagesSurvey, in memory: some PhysicalMemory) {
  let limit: UInt64 = 5_000
  _ = pages.preservedByteCount
  promise(pages.nodes == pages.nodes.sorted(), "nodes not sorted")
  promise(pages.metadataByteCount <= memory.byteCount, "more nodes than memory")

  var blockCount: UInt64 = 0
  var previous: PhysicalBlock?
  let isComplete: Bool
  do throws(Enough) {
    try pages.forEachBlock(in: memory) { block throws(Enough) in
      promise(block.isNaturallyAligned(in: pages.geometry), "an unaligned block")
      promise(previous.map { $0 < block } ?? true, "blocks not sorted, or one twice")
      previous = block
      blockCount += 1
      guard blockCount <= limit else { throw Enough() }
    }
    isComplete = true
  } catch {
    isComplete = false
  }
  let isCounted = isComplete ? blockCount == pages.entryCount : pages.entryCount >= blockCount
  promise(
    isCounted, "\(pages.geometry): \(blockCount) entries, \(pages.entryCount) counted")

  var inRuns: UInt64 = 0
  var runCount: UInt64 = 0
  try? pages.forEachRun(in: memory) { run throws(Enough) in
    promise(run.blockCount > 0 && !run.range(in: pages.geometry).isEmpty, "an empty run")
    inRuns += run.blockCount
    runCount += 1
    guard runCount <= limit else { throw Enough() }
  }
  promise(runCount > limit || inRuns == pages.entryCount, "entries of runs miscounted")
}
