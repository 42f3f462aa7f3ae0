import Handover
import MemoryAccess
import MemoryImages
import PageAllocation
import PreservedPages

/// Fills the outgoing handover that a description asks for.
struct Forger: ~Copyable {
  private let memory: AnonymousMemory
  private let geometry: PageGeometry
  private let scratchAreas: [ScratchArea]
  private var frames: BuddyAllocator<AnonymousMemory>
  private var handover: OutgoingHandover<AnonymousMemory, WordAnchor<AnonymousMemory>>

  private var testFolios: [PhysicalBlock] = []
  /// The folios of the first file that has any, and its record.
  private var fileFolios: [PhysicalBlock] = []
  private var fileRecord: PhysicalAddress?

  init(
    in memory: AnonymousMemory, _ description: ForgeDescription, scratchAreas: [ScratchArea],
    anchorAt word: PhysicalAddress, frames: consuming BuddyAllocator<AnonymousMemory>
  ) throws(ForgeError) {
    self.memory = memory
    geometry = description.geometry
    self.scratchAreas = scratchAreas
    do throws(OutgoingHandoverError) {
      handover = try OutgoingHandover(
        in: memory, geometry: description.geometry, version: description.version,
        anchor: WordAnchor(at: word, in: memory), scratchAreas: scratchAreas, from: &frames)
    } catch {
      throw .handover(error)
    }
    self.frames = frames
  }

  /// The bytes of the root device tree, in whole pages.
  var deviceTree: PhysicalRange { handover.deviceTree.range(in: geometry) }

  /// What damages the handover, once everything is in it.
  consuming func damager() -> Damager {
    Damager(
      memory: memory, geometry: geometry, deviceTree: deviceTree, map: handover.tree.root,
      testFolios: testFolios, fileFolios: fileFolios, fileRecord: fileRecord,
      scratchAreas: scratchAreas, frames: frames)
  }

  /// Clears what was written and freed again, such as root device trees that were replaced: a reader
  /// would take one for another handover.
  mutating func clearFreeMemory() {
    var taken: [PhysicalBlock] = []
    defer { for block in taken { frames.giveBack(block, in: geometry) } }
    var order = Int(geometry.maximumOrder.rawValue)
    while order >= 0 {
      guard order <= 40, let block = frames.takeBlock(PageOrder(order)) else {
        order -= 1
        continue
      }
      taken.append(block)
      let range = block.range(in: geometry)
      for offset in stride(from: 0, to: range.byteCount, by: UInt64.Stride(geometry.pageByteCount))
      {
        // Only what was written: a page that is read stays the kernel's page of zeros.
        memory.withWords(
          at: range.start.advanced(byBytes: offset), count: geometry.pageWordCount
        ) { words in
          for index in 0..<words.count where words.load(index) != 0 { words.publish(0, at: index) }
        }
      }
    }
  }

  mutating func addAll(_ description: ForgeDescription) throws(ForgeError) {
    if let metadata = description.metadata {
      try refused { () throws(OutgoingHandoverError) in
        try handover.addKexecMetadata(metadata, from: &frames)
      }
    }
    if let test = description.test { try add(test, description.machine) }
    if !description.regions.isEmpty { try add(description.regions) }
    for blob in description.blobs { try add(blob) }
    if let sessions = description.sessions {
      try add(sessions, number: description.liveUpdateNumber)
    }
  }

  private mutating func add(
    _ test: ForgeDescription.Test, _ machine: KHOTestChecksum.Architecture
  ) throws(ForgeError) {
    var checksum = KHOTestChecksum(machine)
    var folios: [PhysicalBlock] = []
    var state = test.seed
    for order in test.orders {
      let folio = try block(order)
      memory.withWords(at: folio.address, count: geometry.pageWordCount << Int(order.rawValue)) {
        for index in 0..<$0.count { $0.publish(Self.next(&state), at: index) }
      }
      memory.withBytes(in: folio.range(in: geometry)) { checksum.add($0) }
      folios.append(folio)
    }
    testFolios = folios
    if test.isSumWrong { ([1] + [UInt8](repeating: 0, count: 7)).withRawSpan { checksum.add($0) } }
    _ = try refused { () throws(OutgoingHandoverError) in
      try handover.addTestRecord(of: folios, checksum: checksum, from: &frames)
    }
  }

  /// SplitMix64.
  private static func next(_ state: inout UInt64) -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed &>> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed &>> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed &>> 31
  }

  private mutating func add(_ regions: [ForgeDescription.Region]) throws(ForgeError) {
    let pageMask = UInt64(geometry.pageByteCount) - 1
    var reserved: [ReservedRegion] = []
    for region in regions {
      try Self.check(region.name, atMost: 31)
      guard region.byteCount > 0, region.byteCount & pageMask == 0,
        region.contents.byteCount <= region.byteCount
      else { throw .regionSizeInvalid(name: region.name, byteCount: region.byteCount) }
      let frameCount = region.byteCount >> UInt64(geometry.shift)
      guard let taken = frames.takeFrames(frameCount) else {
        throw .placeFull(frameCount: frameCount)
      }
      let range = taken.range(in: geometry)
      try write(region.contents, at: range.start)
      reserved.append(ReservedRegion(name: region.name, range: range))
    }
    try refused { () throws(OutgoingHandoverError) in
      try handover.addReservedRegions(reserved, from: &frames)
    }
  }

  private mutating func add(_ blob: ForgeDescription.Blob) throws(ForgeError) {
    guard blob.contents.byteCount > 0 else { throw .blobEmpty(name: blob.name) }
    let range = try refused { () throws(OutgoingHandoverError) in
      try handover.createSubtree(
        named: blob.name, byteCount: blob.contents.byteCount, from: &frames
      ) { _ in }
    }
    try write(blob.contents, at: range.start)
  }

  private mutating func add(
    _ sessions: [ForgeDescription.Session], number: UInt64
  ) throws(ForgeError) {
    var names: Set<String> = []
    var written: [(name: String, files: [LiveUpdateFile])] = []
    for session in sessions {
      try Self.check(session.name, atMost: LiveUpdateSession.largestNameByteCount)
      guard names.insert(session.name).inserted else {
        throw .repeated("the session \(session.name.debugDescription)")
      }
      var tokens: Set<UInt64> = []
      var files: [LiveUpdateFile] = []
      for file in session.files {
        guard tokens.insert(file.token).inserted else {
          throw .repeated("the token \(file.token) of session \(session.name.debugDescription)")
        }
        files.append(LiveUpdateFile(memfd: try add(file), token: file.token))
      }
      written.append((session.name, files))
    }
    try refused { () throws(OutgoingHandoverError) in
      try handover.addLiveUpdate(number: number, sessions: written, from: &frames)
    }
  }

  private mutating func add(
    _ file: ForgeDescription.File
  ) throws(ForgeError) -> PhysicalAddress {
    let byteCount = file.contents.byteCount
    let pageByteCount = UInt64(geometry.pageByteCount)
    let pageCount = byteCount / pageByteCount + (byteCount % pageByteCount == 0 ? 0 : 1)
    var folios: [MemfdFolio] = []
    var blocks: [PhysicalBlock] = []
    var index: UInt64 = 0
    while index < pageCount {
      // As large as asked for, as far as the rest of the file fills it.
      var order = file.folioOrder
      while order.rawValue > 0, order.frameCount > pageCount - index {
        order = PageOrder(Int(order.rawValue) - 1)
      }
      let folio = try block(order)
      blocks.append(folio)
      folios.append(MemfdFolio(address: folio.address, pageIndex: index))
      index += order.frameCount
    }
    // Pieces of one page, so that each is in one folio.
    try file.contents.forEachPiece(of: geometry.pageByteCount) { bytes, offset throws(ForgeError) in
      var offset = offset
      var start = 0
      while start < bytes.byteCount {
        let page = offset / pageByteCount
        let folio = folios[Self.index(of: page, in: folios)]
        let inPage = offset % pageByteCount
        let count = min(bytes.byteCount - start, Int(pageByteCount - inPage))
        let place = folio.address.advanced(
          byBytes: (page - folio.pageIndex) * pageByteCount + inPage)
        store(bytes.extracting(start..<start + count), at: place)
        start += count
        offset += UInt64(count)
      }
    }
    let record = try refused { () throws(OutgoingHandoverError) in
      try handover.addMemfdRecord(
        byteSize: byteCount, position: file.position, seals: file.seals, folios: folios,
        from: &frames)
    }
    if fileRecord == nil, !blocks.isEmpty { (fileRecord, fileFolios) = (record, blocks) }
    return record
  }

  /// The folio that holds a page of the file.
  private static func index(of page: UInt64, in folios: [MemfdFolio]) -> Int {
    max(0, folios.partitioningIndex { $0.pageIndex > page } - 1)
  }

  private mutating func block(_ order: PageOrder) throws(ForgeError) -> PhysicalBlock {
    try refused { () throws(OutgoingHandoverError) in
      try handover.allocatePreserved(order, from: &frames)
    }
  }

  private func write(_ contents: ForgeContents, at place: PhysicalAddress) throws(ForgeError) {
    try contents.forEachPiece { bytes, offset throws(ForgeError) in
      store(bytes, at: place.advanced(byBytes: offset))
    }
  }

  private func store(_ bytes: RawSpan, at place: PhysicalAddress) {
    let range = PhysicalRange(start: place, byteCount: UInt64(bytes.byteCount))
    memory.withMutableBytes(in: range) { target in
      // SAFETY: both have the same length, and the source is not part of the memory.
      unsafe target.withUnsafeMutableBytes { target in
        unsafe bytes.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
      }
    }
  }

  private static func check(_ name: String, atMost limit: Int) throws(ForgeError) {
    guard name.utf8.count >= 1, name.utf8.count <= limit, !name.utf8.contains(0) else {
      throw .nameInvalid(name, limit: limit)
    }
  }
}

/// What `body` gives; an error of it in the forge's terms.
private func refused<Value>(
  _ body: () throws(OutgoingHandoverError) -> Value
) throws(ForgeError) -> Value {
  do throws(OutgoingHandoverError) { return try body() } catch {
    if case .outOfFrames(let frameCount) = error { throw .placeFull(frameCount: frameCount) }
    throw .handover(error)
  }
}
