import HandoverTestSupport
import KexecHandover
import Testing

private let geometry = PageGeometry.pages4KiB

/// Who has the preserved memory of real handovers.
@Suite struct OwnerTests {
  @Test(arguments: Fixture.all)
  func sumsEqualTheTree(in fixture: Fixture) throws {
    let memory = try fixture.open()
    for expected in try fixture.expectations().handovers {
      let survey = HandoverSurvey(
        .memory(PhysicalAddress(expected.fdtAddress)), in: memory, geometry: geometry)
      let owners = survey.owners(in: memory)
      #expect(owners.entryCount == survey.pages?.entryCount)
      #expect(owners.byteCount == survey.pages?.preservedByteCount)
      guard expected.readable == true else { continue }
      #expect(owners.entryCount == expected.entryCount)
      #expect(owners.byteCount == expected.preservedBytes)
      #expect(owners.disputes == [] && owners.disputedByteCount == 0)
    }
  }

  /// Everything in these images was made for the sake of it, so that nothing is left over.
  @Test(arguments: Fixture.all)
  func nothingIsNobodys(in fixture: Fixture) throws {
    let memory = try fixture.open()
    for expected in try fixture.expectations().handovers where expected.readable == true {
      let survey = HandoverSurvey(
        .memory(PhysicalAddress(expected.fdtAddress)), in: memory, geometry: geometry)
      let accounts = survey.owners(in: memory)
      // The outgoing handover of the chained image has sessions that are not written yet.
      let sessions = expected.luo?.sessions ?? []
      if fixture.name != "linux-7.3-kho-v4-chained" {
        #expect(accounts.unowned.byteCount == 0 && accounts.unowned.entryCount == 0)
      }

      func bytes(_ owner: MemoryOwner) -> UInt64? {
        accounts.accounts.first { $0.owner == owner }?.byteCount
      }
      #expect(bytes(MemoryOwner(.handover, .deviceTree)) == 4096)
      #expect(bytes(MemoryOwner(.record(.region("labtrace")), .referred(.region))) == 128 << 10)
      for name in (expected.subtrees ?? [:]).keys {
        let account = accounts.accounts.first {
          $0.owner == MemoryOwner(.record(.subtree(name)), .blob)
        }
        #expect(account?.entryCount == 1, "\(name)")
        if let byteCount = expected.subtrees?[name]?["blob-size"] {
          #expect(account?.claimedByteCount == byteCount)
        }
      }
      for session in sessions {
        for file in session.files {
          let holder = MemoryOwner.Holder.record(.file(session: session.name, token: file.token))
          #expect(bytes(MemoryOwner(holder, .referred(.folio))) == file.folios * 4096)
          #expect(bytes(MemoryOwner(holder, .referred(.records))) == 4096)
          #expect(bytes(MemoryOwner(holder, .referred(.chunk))) == 4096)
          #expect(bytes(MemoryOwner(holder, .referred(.area))) == (file.folios * 16 + 4095) & ~4095)
        }
      }
    }
  }

  /// The runs say of each entry what comparing it with every reference says, however few claims are
  /// kept at a time.
  @Test(arguments: Fixture.all)
  func runsEqualTheModel(in fixture: Fixture) throws {
    let memory = MemoryCopy(of: try fixture.open())
    var generator = SeededGenerator(seed: 5)
    for expected in try fixture.expectations().handovers where expected.readable == true {
      let address = PhysicalAddress(expected.fdtAddress)
      for round in 0..<12 {
        // Later rounds are of damaged records: claims that overlap, of parts of entries, of nothing.
        let survey = HandoverSurvey(.memory(address), in: memory, geometry: geometry)
        let model = try OwnerModel(survey, in: memory)
        for limit in [1, 2, 3, 17, OwnerAccounts.defaultClaimLimit] where round == 0 || limit > 2 {
          var runs: [OwnedRun] = []
          survey.forEachOwnedRun(in: memory, claimLimit: limit) { runs.append($0) }
          try model.check(runs, "\(fixture) round \(round) limit \(limit)")
          let accounts = survey.owners(in: memory, claimLimit: limit)
          #expect(accounts.entryCount == survey.pages?.entryCount)
          #expect(accounts.byteCount == survey.pages?.preservedByteCount)
          #expect(accounts.disputedByteCount == model.disputedByteCount)
        }
        var places: [PhysicalAddress] = []
        survey.forEachReference(in: memory) { reference in
          switch reference.role {
          case .records, .area, .chunk: places.append(reference.range.start)
          case .region, .folio, .piece: break
          }
        }
        for _ in 0..<3 {
          guard let place = places.randomElement(using: &generator) else { break }
          let offset = UInt64.random(in: 0..<48, using: &generator)
          let byte = place.advanced(byBytes: offset)
          if memory.withBytes(in: PhysicalRange(start: byte, byteCount: 1), { _ in }) != nil {
            memory.flip(bit: Int.random(in: 0..<8, using: &generator), at: byte)
          }
        }
      }
    }
  }

  /// Two files of one record: its memory is counted once, as the first one's.
  @Test func whatTwoClaimIsCountedOnceAndNamed() throws {
    let memory = MemoryCopy(of: try Fixture(name: "linux-7.3-kho-v4").open())
    let fileBlock: UInt64 = 0x7d6000
    let word = try #require(memory.word(at: PhysicalAddress(fileBlock + 64)))
    memory.store(word, at: PhysicalAddress(fileBlock + 128))
    let survey = HandoverSurvey(
      .memory(PhysicalAddress(5_328_896)), in: memory, geometry: geometry)
    let accounts = survey.owners(in: memory)
    #expect(accounts.byteCount == 2_285_568 && accounts.entryCount == 471)
    // The folios, their list, its chunk, and the 48 bytes of the record.
    #expect(accounts.disputedByteCount == 65536 + 4096 + 4096 + 48)
    for dispute in accounts.disputes {
      guard case .record(.file("vm-alpha", let first)) = dispute.owner?.holder,
        case .record(.file("vm-alpha", let second)) = dispute.otherOwner?.holder
      else {
        Issue.record("\(dispute)")
        continue
      }
      #expect(first == 4096 && second == 4097)
      #expect(dispute.owner?.use == dispute.otherOwner?.use)
    }
    // What the second file had.
    #expect(accounts.unowned.byteCount == 262_144 + 4096 + 4096 + 4096)
    #expect(accounts.unowned.entryCount == 67)
  }

  /// What an unknown handler recorded is taken for a pointer where an entry begins there.
  @Test func theRecordOfAnUnknownHandlerIsPresumed() throws {
    let memory = MemoryCopy(of: try Fixture(name: "linux-7.3-kho-v4").open())
    let file = PhysicalAddress(0x7d6010)
    // "memfd-v2" becomes "memfd-v3".
    memory.store(0x3376_2d64_666d_656d, at: file)
    let survey = HandoverSurvey(
      .memory(PhysicalAddress(5_328_896)), in: memory, geometry: geometry)
    let holder = MemoryOwner.Holder.record(.file(session: "vm-alpha", token: 4096))
    let presumed = survey.owners(in: memory)
    #expect(
      presumed.accounts.first { $0.owner?.holder == holder }?.owner
        == MemoryOwner(holder, .presumed))
    #expect(presumed.unowned.byteCount == 65536 + 4096 + 4096)
    // A word that points into the middle of an entry does not count.
    memory.flip(bit: 4, at: file.advanced(byBytes: 48))
    let other = survey.owners(in: memory)
    #expect(!other.accounts.contains { $0.owner?.holder == holder })
    #expect(other.unowned.byteCount == 65536 + 4096 + 4096 + 4096)
  }

  @Test func aBodyThatThrowsEndsTheWalk() throws {
    struct Enough: Error {}
    let memory = try Fixture(name: "linux-7.3-kho-v4").open()
    let survey = HandoverSurvey(
      .memory(PhysicalAddress(5_328_896)), in: memory, geometry: geometry)
    var count = 0
    #expect(throws: Enough.self) {
      try survey.forEachOwnedRun(in: memory) { (run) throws(Enough) in
        count += 1
        if count == 3 { throw Enough() }
      }
    }
    #expect(count == 3)
  }
}

/// Who has which bytes of which entry, found by comparing each entry with each claim.
private struct OwnerModel {
  private struct Claim {
    let start: UInt64
    let last: UInt64
    let owner: MemoryOwner
  }

  struct Part: Equatable {
    let start: UInt64
    let last: UInt64
    let owner: MemoryOwner?
    let other: MemoryOwner?
    let isClaimed: Bool
  }

  private(set) var parts: [PhysicalBlock: [Part]] = [:]
  private(set) var disputedByteCount: UInt64 = 0

  init(_ survey: HandoverSurvey, in memory: MemoryCopy) throws {
    let pages = try #require(survey.pages)
    var claims: [Claim] = []
    func claim(_ range: PhysicalRange?, _ owner: MemoryOwner) {
      guard let range, let last = range.last, memory.contains(range) else { return }
      claims.append(Claim(start: range.start.rawValue, last: last.rawValue, owner: owner))
    }
    let tree = try #require(survey.deviceTree)
    claim(
      PhysicalRange(
        checkedStart: try #require(survey.address), byteCount: UInt64(tree.byteCount)),
      MemoryOwner(.handover, .deviceTree))
    for subtree in survey.subtrees {
      claim(
        PhysicalRange(checkedStart: subtree.subtree.address, byteCount: subtree.byteCount ?? 1),
        MemoryOwner(.record(.subtree(subtree.subtree.name)), .blob))
    }
    var blocks: [PhysicalBlock] = []
    pages.forEachBlock(in: memory) { blocks.append($0) }
    var blockAt: [UInt64: PhysicalBlock] = [:]
    for block in blocks.reversed() { blockAt[block.address.rawValue] = block }
    survey.forEachReference(in: memory) { reference in
      var range = reference.range
      if reference.role == .folio, reference.order == nil,
        let block = blockAt[range.start.rawValue]
      {
        range = block.range(in: survey.geometry)
      }
      claim(range, MemoryOwner(.record(reference.owner), .referred(reference.role)))
    }
    var ranks: [MemoryOwner: Int] = [:]
    for claim in claims where ranks[claim.owner] == nil { ranks[claim.owner] = ranks.count }
    for block in blocks {
      parts[block] = Self.parts(
        of: block.range(in: survey.geometry), claims: claims, ranks: ranks)
    }
    disputedByteCount = parts.values.joined().reduce(0) {
      $0 + ($1.other == nil ? 0 : $1.last - $1.start + 1)
    }
  }

  private static func parts(
    of range: PhysicalRange, claims: [Claim], ranks: [MemoryOwner: Int]
  ) -> [Part] {
    let start = range.start.rawValue
    let last = start + (range.byteCount - 1)
    let touching = claims.filter { $0.start <= last && $0.last >= start }
    var borders: Set<UInt64> = [start]
    for claim in touching {
      if claim.start > start { borders.insert(claim.start) }
      if claim.last < last { borders.insert(claim.last + 1) }
    }
    let starts = borders.sorted()
    let lasts = starts.dropFirst().map { $0 - 1 } + [last]
    var parts: [Part] = []
    for (start, last) in zip(starts, lasts) {
      let owners = touching.filter { $0.start <= start && $0.last >= start }.map(\.owner)
        .sorted { ranks[$0, default: 0] < ranks[$1, default: 0] }
      let first = touching.min {
        ($0.start, ranks[$0.owner, default: 0]) < ($1.start, ranks[$1.owner, default: 0])
      }
      parts.append(
        Part(
          start: start, last: last, owner: owners.first ?? parts.last?.owner ?? first?.owner,
          other: owners.count > 1 ? owners[1] : nil, isClaimed: !owners.isEmpty))
    }
    return parts
  }

  /// Checks that `runs` say the same of every entry.
  func check(_ runs: [OwnedRun], _ trace: String) throws {
    // The bytes of each run, entry by entry: whole entries, or one that is not whole.
    var found: [PhysicalBlock: [OwnedRun]] = [:]
    for run in runs {
      let size = geometry.blockByteCount(run.order)
      var start = run.range.start.rawValue & ~(size - 1)
      let last = try #require(run.range.last).rawValue
      while start <= last {
        found[PhysicalBlock(address: PhysicalAddress(start), order: run.order), default: []]
          .append(run)
        start += size
      }
    }
    try #require(Set(found.keys) == Set(parts.keys), "\(trace)")
    for (block, parts) in parts {
      let range = block.range(in: geometry)
      for part in parts {
        let bytes = PhysicalRange(
          start: PhysicalAddress(part.start), byteCount: part.last - part.start + 1)
        let covering = found[block, default: []].filter { $0.range.overlaps(bytes) }
        try #require(covering.count == 1, "\(trace) \(block)")
        try #require(covering[0].range.contains(bytes), "\(trace) \(block)")
        try #require(covering[0].owner == part.owner, "\(trace) \(block)")
        try #require(covering[0].otherOwner == part.other, "\(trace) \(block)")
      }
      // No byte twice.
      let bytes = found[block, default: []].reduce(0 as UInt64) {
        $0 + ($1.range.intersection(range)?.byteCount ?? 0)
      }
      try #require(bytes == range.byteCount, "\(trace) \(block)")
    }
    let claimed = parts.values.joined().reduce(0 as UInt64) {
      $0 + ($1.isClaimed ? $1.last - $1.start + 1 : 0)
    }
    try #require(runs.reduce(0) { $0 + $1.claimedByteCount } == claimed, "\(trace)")
    try #require(runs.reduce(0) { $0 + Int($1.entryCount) } == parts.count, "\(trace)")
  }
}
