import MemoryAccess

// A log: entries are added at the end and removed at the front. They are numbered from 0 on, and keep
// their numbers.
//
//     root ─► first segment ─► … ─► last segment

extension ByteMap where Storage: ~Copyable {
  /// The numbers of the entries that are there.
  package var logRange: Range<UInt64> {
    let start = arena.loadRoot(RootLayout.logStart)
    return start..<max(start, arena.loadRoot(RootLayout.logEnd))
  }

  /// A segment, with what its header says.
  struct FoundSegment {
    let object: ObjectReference
    let next: UInt64
    let used: UInt64
    let first: UInt64
    let count: UInt64

    var address: UInt64 { object.address }
  }

  func segment(
    _ word: UInt64, foundAt place: UInt64
  ) throws(PersistentCollectionError) -> FoundSegment? {
    if word == 0 { return nil }
    let object = ObjectReference(in: word)
    let address = try arena.checked(
      object.address, byteCount: LogSegment.entries, foundAt: place)
    let segment = FoundSegment(
      object: object, next: arena.load(address &+ LogSegment.next),
      used: arena.load(address &+ LogSegment.usedByteCount),
      first: arena.load(address &+ LogSegment.firstNumber),
      count: arena.load(address &+ LogSegment.entryCount))
    guard arena.load(address) == LogSegment.mark, segment.used < 1 << 40,
      segment.used & 7 == 0, segment.count <= segment.used / 8,
      segment.first <= .max &- segment.count,
      arena.exists(address, byteCount: LogSegment.entries &+ segment.used)
    else { throw .damaged(PhysicalAddress(address)) }
    return segment
  }

  /// Adds an entry at the end.
  ///
  /// - Returns: its number.
  package mutating func logAppend(
    byteCount: Int, _ fill: (inout MutableRawSpan) -> Void
  ) throws(PersistentCollectionError) -> UInt64 {
    guard byteCount >= 0, byteCount <= Self.valueByteLimit else { throw .tooLarge }
    var number: UInt64 = 0
    try transaction { (map) throws(PersistentCollectionError) in
      number = map.arena.loadRoot(RootLayout.logEnd)
      guard number < .max else { throw .limitReached }
      let place = map.arena.root &+ RootLayout.logLast
      let last = try map.segment(map.arena.loadRoot(RootLayout.logLast), foundAt: place)
      let room = LogSegment.room(for: byteCount)
      if let last,
        try LogSegment.entries &+ last.used &+ room <= UInt64(map.arena.capacity(of: last.object))
      {
        try map.arena.requireOwn(last.object)
        map.writeEntry(
          at: last.address &+ LogSegment.entries &+ last.used, byteCount: byteCount, fill)
        try map.arena.set(last.used &+ room, at: last.address &+ LogSegment.usedByteCount)
        try map.arena.set(last.count &+ 1, at: last.address &+ LogSegment.entryCount)
      } else {
        try map.addSegment(number, byteCount: byteCount, after: last, fill)
      }
      try map.arena.setRoot(number &+ 1, RootLayout.logEnd)
      try map.addToCount(1)
    }
    return number
  }

  private mutating func addSegment(
    _ number: UInt64, byteCount: Int, after last: FoundSegment?,
    _ fill: (inout MutableRawSpan) -> Void
  ) throws(PersistentCollectionError) {
    let room = LogSegment.room(for: byteCount)
    let object = try arena.takeObject(
      byteCount: max(LogSegment.byteCount, Int(LogSegment.entries &+ room)),
      first: LogSegment.mark)
    arena.publish(0, at: object.address &+ LogSegment.next)
    arena.publish(room, at: object.address &+ LogSegment.usedByteCount)
    arena.publish(number, at: object.address &+ LogSegment.firstNumber)
    arena.publish(1, at: object.address &+ LogSegment.entryCount)
    writeEntry(at: object.address &+ LogSegment.entries, byteCount: byteCount, fill)
    if let last {
      try arena.set(object.rawValue, at: last.address &+ LogSegment.next)
    } else {
      try arena.setRoot(object.rawValue, RootLayout.logFirst)
    }
    try arena.setRoot(object.rawValue, RootLayout.logLast)
  }

  private func writeEntry(
    at place: UInt64, byteCount: Int, _ fill: (inout MutableRawSpan) -> Void
  ) {
    arena.publish(UInt64(byteCount), at: place)
    write(at: place &+ 8, count: byteCount, fill)
  }

  /// Removes the entries whose numbers are less than `number`.
  ///
  /// - Returns: their number.
  /// - Complexity: O(segments that go), each change of 256 of them by itself.
  package mutating func logRemove(
    before number: UInt64
  ) throws(PersistentCollectionError) -> UInt64 {
    let range = logRange
    let target = min(max(number, range.lowerBound), range.upperBound)
    var isDone = false
    while !isDone {
      try transaction { (map) throws(PersistentCollectionError) in
        for _ in 0..<256 {
          let place = map.arena.root &+ RootLayout.logFirst
          let first = map.arena.loadRoot(RootLayout.logFirst)
          guard let segment = try map.segment(first, foundAt: place),
            segment.first &+ segment.count <= target
          else {
            isDone = true
            break
          }
          try map.arena.setRoot(segment.next, RootLayout.logFirst)
          if segment.next == 0 { try map.arena.setRoot(0, RootLayout.logLast) }
          map.arena.unlinkObject(segment.object)
          try map.arena.setRoot(segment.first &+ segment.count, RootLayout.logStart)
        }
        if isDone { try map.arena.setRoot(target, RootLayout.logStart) }
        let left = map.logRange
        try map.arena.setRoot(
          left.upperBound &- left.lowerBound, RootLayout.entryCount)
      }
    }
    return target &- range.lowerBound
  }

  /// Calls `body` with the entries from `number` on, until it returns false.
  ///
  /// - Complexity: O(segments + entries).
  package func logScan(
    from number: UInt64, _ body: (UInt64, RawSpan) -> Bool
  ) throws(PersistentCollectionError) {
    let range = logRange
    let start = max(number, range.lowerBound)
    var place = arena.root &+ RootLayout.logFirst
    var next = arena.loadRoot(RootLayout.logFirst)
    // A list that leads back to itself ends where the numbers do not go up.
    var expected: UInt64?
    while let segment = try segment(next, foundAt: place) {
      guard expected == nil || segment.first == expected, segment.count > 0 else {
        throw .damaged(PhysicalAddress(segment.address))
      }
      expected = segment.first &+ segment.count
      if segment.first &+ segment.count > start {
        guard try visit(segment, from: start, body) else { return }
      }
      place = segment.address &+ LogSegment.next
      next = segment.next
    }
  }

  private func visit(
    _ segment: FoundSegment, from start: UInt64, _ body: (UInt64, RawSpan) -> Bool
  ) throws(PersistentCollectionError) -> Bool {
    var offset: UInt64 = 0
    for index in 0..<segment.count {
      let place = segment.address &+ LogSegment.entries &+ offset
      guard offset <= segment.used &- 8 else { throw .damaged(PhysicalAddress(place)) }
      let byteCount = arena.load(place)
      guard byteCount <= segment.used &- 8 &- offset else {
        throw .damaged(PhysicalAddress(place))
      }
      offset &+= LogSegment.room(for: Int(byteCount))
      let number = segment.first &+ index
      if number < start { continue }
      var goesOn = false
      try withBytes(at: place &+ 8, count: Int(byteCount)) { goesOn = body(number, $0) }
      if !goesOn { return false }
    }
    return true
  }

  /// Looks at every segment, entry, slab and list of a log.
  package func checkLog() -> PersistentMapReport {
    var checker = MapChecker()
    do throws(PersistentCollectionError) {
      var place = arena.root &+ RootLayout.logFirst
      var next = arena.loadRoot(RootLayout.logFirst)
      while let segment = try segment(next, foundAt: place) {
        let isNew =
          segment.object.isLarge
          ? checker.largeObjects.insert(segment.address).inserted
          : checker.objects.insert(segment.address).inserted
        guard isNew else {
          checker.add(.usedTwice(PhysicalAddress(segment.address)))
          break
        }
        place = segment.address &+ LogSegment.next
        next = segment.next
      }
      try logScan(from: 0) { _, bytes in
        checker.report.entryCount &+= 1
        checker.report.payloadByteCount &+= UInt64(bytes.byteCount)
        return true
      }
    } catch {
      if case .damaged(let address) = error { checker.add(.damaged(address)) }
    }
    finishCheck(&checker)
    return checker.report
  }
}
