public import MemoryAccess

extension KdumpImage {
  /// Whether every byte of `wanted` is memory of the machine, in the dump or not.
  ///
  /// - Complexity: O(1), once the bitmap up to there is counted.
  public func contains(_ wanted: PhysicalRange) -> Bool {
    guard let pages = pageNumbers(of: wanted) else { return true }
    // Memory that is in the dump exists, whatever the other bitmap says.
    return existing.areSet(pages) || stored.areSet(pages)
  }

  /// Calls `body` with the bytes of `wanted`, or gives nil when one of them is not in the dump or
  /// cannot be had; ``page(at:)`` throws the reason.
  ///
  /// Several pages are copied together, up to ``largestGatheredByteCount``; a larger range gives nil
  /// and has to be read in parts.
  ///
  /// - Complexity: O(1) for a page that is kept, and O(page size) for each that must be inflated.
  public func withBytes<Result: ~Copyable, Failure: Error>(
    in wanted: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard let numbers = pageNumbers(of: wanted) else { return try [UInt8]().withRawSpan(body) }
    guard numbers.count > 1 else { return try withBytes(of: numbers.lowerBound, in: wanted, body) }
    guard wanted.byteCount <= Self.largestGatheredByteCount, stored.areSet(numbers) else {
      return nil
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(wanted.byteCount))
    for number in numbers {
      guard let page = try? page(number) ?? nil else { return nil }
      let shared = geometry.range(ofPage: number).intersection(wanted) ?? wanted
      let start = Int(shared.start.rawValue & (UInt64(geometry.pageByteCount) &- 1))
      bytes += page[start..<start &+ Int(shared.byteCount)]
    }
    return try bytes.withRawSpan(body)
  }

  private func withBytes<Result: ~Copyable, Failure: Error>(
    of number: UInt64, in wanted: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard let (part, descriptor) = place(of: number) else { return nil }
    let start = Int(wanted.start.rawValue & (UInt64(geometry.pageByteCount) &- 1))
    let end = start &+ Int(wanted.byteCount)
    let read =
      end <= InflatedPages.startByteCount
      ? try? part.pages.start(of: number, descriptor: descriptor)
      : try? part.pages.page(number, descriptor: descriptor)
    guard let page = read, end <= page.count else { return nil }
    return try page.withRawSpan { bytes throws(Failure) in
      try body(bytes.extracting(start..<end))
    }
  }

  /// The bytes of the page that `address` is in; nil when the dump does not hold it.
  ///
  /// - Throws: what is wrong with it.
  public func page(at address: PhysicalAddress) throws(KdumpPageError) -> [UInt8]? {
    try page(address.rawValue &>> UInt64(geometry.shift))
  }

  private func page(_ number: UInt64) throws(KdumpPageError) -> [UInt8]? {
    guard let (part, descriptor) = place(of: number) else { return nil }
    return try part.pages.page(number, descriptor: descriptor)
  }

  /// The file that should hold the page of that number, and the index of its descriptor there; nil where
  /// none does.
  private func place(of number: UInt64) -> (part: Part, descriptor: UInt64)? {
    guard stored.isSet(number), let part = parts.first(where: { $0.numbers.contains(number) })
    else {
      return nil
    }
    let before = part.numbers.lowerBound == 0 ? 0 : stored.count(below: part.numbers.lowerBound)
    return (part, stored.count(below: number) &- before)
  }

  /// The first run of pages at or after `address` that the dump holds, cut to start no earlier; nil
  /// when there is none.
  ///
  /// A long run comes in pieces of at most 1 MiB.
  ///
  /// - Complexity: O(words of the bitmap that are passed), holes of the file left out.
  public func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    guard
      let run = run(of: stored, atOrAfter: address, byteCount: Self.largestRunByteCount)
    else { return nil }
    // Pages of parts that are not there are not stored.
    for part in parts {
      let held = geometry.range(ofPages: part.numbers)
      if let shared = run.intersection(held) { return shared }
      if held.start > run.start { return storedRange(atOrAfter: held.start) }
    }
    return nil
  }

  /// Lets the kernel take back the memory that the descriptors and data of `wanted` were read from.
  public func finishedReading(_ wanted: PhysicalRange) {
    guard let numbers = pageNumbers(of: wanted) else { return }
    for part in parts {
      let shared = numbers.clamped(to: part.numbers)
      guard !shared.isEmpty else { continue }
      let before = stored.count(below: part.numbers.lowerBound)
      part.pages.finishedReading(
        descriptors: stored.count(below: shared.lowerBound) &- before..<stored.count(
          below: shared.upperBound) &- before)
    }
  }

  /// The set bits at or after `address` as memory, at most `byteCount` of it.
  func run(
    of bitmap: PageBitmap, atOrAfter address: PhysicalAddress, byteCount: UInt64
  ) -> PhysicalRange? {
    let shift = UInt64(geometry.shift)
    let limit = max(1, byteCount &>> shift)
    guard
      let run = bitmap.run(atOrAfter: address.rawValue &>> shift, limit: limit)
    else { return nil }
    let start = max(address.rawValue, run.lowerBound &<< shift)
    return PhysicalRange(
      start: PhysicalAddress(start), byteCount: run.upperBound &<< shift &- start)
  }

  /// The pages that `wanted` is in; nil of an empty range.
  private func pageNumbers(of wanted: PhysicalRange) -> Range<UInt64>? {
    guard let last = wanted.last else { return nil }
    let shift = UInt64(geometry.shift)
    return wanted.start.rawValue &>> shift..<(last.rawValue &>> shift) &+ 1
  }
}

extension PageGeometry {
  /// The memory of the pages of those numbers, which exist.
  func range(ofPages numbers: Range<UInt64>) -> PhysicalRange {
    PhysicalRange(
      start: PhysicalAddress(numbers.lowerBound &<< UInt64(shift)),
      byteCount: (numbers.upperBound &- numbers.lowerBound) &<< UInt64(shift))
  }

  /// The memory of the page of that number, which exists.
  func range(ofPage number: UInt64) -> PhysicalRange {
    PhysicalRange(
      start: PhysicalAddress(number &<< UInt64(shift)), byteCount: UInt64(pageByteCount))
  }
}
