import Handover
import Machine
import MemoryAccess
import PageAllocation
import PreservedPages

// The kernel under a power switch: it changes its handover without end, and QEMU resets the machine at
// some instant. Memory survives; everything else is gone. What the next start must find is the handover
// before or after the operation that was interrupted, exactly, with every byte of it.
//
// Words of the ledger, behind its first two:
//
//     2 operations done   3 starts   4 operations found undone   5 found done   6 changes completed
//     8 intent: 0 or the operation's number   9 slot   10 kind   11 address   12 frames   13 seed
//
// The records behind them are the slots: what is preserved right now.

/// What a slot holds; the kind of a ledger's record.
private enum Kind {
  static let empty: UInt64 = 0
  /// One block: a single bit of the tree.
  static let block: UInt64 = 1
  /// A run of any number of frames: several bits, one change.
  static let run: UInt64 = 2
  /// A blob with a name: bits, and a new root device tree.
  static let blob: UInt64 = 4
  /// An area with a name: chunks, blocks, and a new root device tree.
  static let area: UInt64 = 5
}

private let slotCount = 40

/// What is about to be done to a slot.
private struct Intent {
  var number: UInt64
  var slot: Int
  var record: Ledger.Record
}

extension Ledger {
  fileprivate var done: UInt64 {
    get { word(2) }
    nonmutating set { setWord(2, newValue) }
  }

  fileprivate var intent: Intent? {
    guard word(8) != 0, word(9) < UInt64(slotCount) else { return nil }
    return Intent(
      number: word(8), slot: Int(word(9)),
      record: Record(
        address: PhysicalAddress(word(11)), frameCount: word(12), kind: word(10),
        checksum: word(13)))
  }

  fileprivate func announce(_ slot: Int, _ record: Record) {
    setWord(9, UInt64(slot))
    setWord(10, record.kind)
    setWord(11, record.address.rawValue)
    setWord(12, record.frameCount)
    setWord(13, record.checksum)
    setWord(8, done + 1)
  }

  /// The slot holds what was announced. Doing this twice does no harm.
  fileprivate func settle(_ intent: Intent) {
    self[intent.slot] = intent.record
    done = intent.number
    setWord(8, 0)
  }

  fileprivate func forget() { setWord(8, 0) }
}

// MARK: After a reset

/// Completes the change that the reset interrupted, and compares everything with the ledger.
func recover(
  _ address: BootInformation.Handover, _ boot: BootInformation, in memory: Memory,
  _ anchor: KernelAnchor
) -> Kernel {
  let areas = scratchAreas(of: address, in: memory)
  var memblock = makeScratchMemblock(boot, areas, in: memory)
  do throws(OutgoingHandoverError) {
    // The handover goes on in place. First of all, what was begun is ended.
    let survey = HandoverSurvey(.memory(address.deviceTree), in: memory, geometry: geometry)
    guard let tree = survey.deviceTree, let root = tree.map else {
      panic("torn: the anchor does not point to a root device tree")
    }
    var order = 0
    while 4096 << order < tree.byteCount { order += 1 }
    var handover = try Outgoing(
      adopting: root,
      deviceTree: PhysicalBlock(address: address.deviceTree, order: PageOrder(order)),
      in: memory, geometry: geometry, version: .v4, anchor: anchor, scratchAreas: areas)
    let change = anchor.pendingChange
    if let change { try handover.complete(change) }

    // Then what it preserves is reserved, and all of it is checked as any handover is.
    reserve(handover.deviceTree.address, in: &memblock)
    memblock.isScratchOnly = false
    let frames = makeAllocator(&memblock)
    do throws(IncomingHandoverError) {
      _ = try Incoming(at: handover.deviceTree.address, in: memory, geometry: geometry)
    } catch {
      panic("torn: \(error.text)")
    }
    guard let table = try handover.subtree(named: Ledger.name),
      let blob = try handover.subtree(named: Stash.name),
      let stash = Stash(
        PhysicalRange(start: blob.address, byteCount: blob.byteCount ?? 0))
    else { panic("torn: a blob is missing") }
    let ledger = Ledger(start: table.address, memory: memory)
    if change != nil { ledger.setWord(6, ledger.word(6) + 1) }
    let kernel = Kernel(
      boot: boot, memory: memory, frames: frames, handover: handover, ledger: ledger,
      stash: stash)
    try kernel.settleIntent()
    try kernel.requireExactly()
    ledger.setWord(3, ledger.word(3) + 1)
    say(
      "start \(ledger.word(3)): \(ledger.done) operations; interrupted ones: \(ledger.word(4)) undone, \(ledger.word(5)) done, \(ledger.word(6)) completed"
    )
    return kernel
  } catch {
    panic("torn: \(error.text)")
  }
}

extension Kernel {
  /// Finds out whether the operation that was announced took place.
  fileprivate func settleIntent() throws(OutgoingHandoverError) {
    guard let intent = ledger.intent else { return }
    let old = ledger[intent.slot]
    if old.kind == intent.record.kind, old.checksum == intent.record.checksum {
      // It was settled, but for the last store.
      ledger.settle(intent)
      return
    }
    let isDone =
      intent.record.kind == Kind.empty
      ? try !exists(old, intent.slot) : try exists(intent.record, intent.slot)
    if isDone {
      ledger.settle(intent)
      ledger.setWord(5, ledger.word(5) + 1)
    } else {
      ledger.forget()
      ledger.setWord(4, ledger.word(4) + 1)
    }
  }

  private func exists(_ record: Ledger.Record, _ slot: Int) throws(OutgoingHandoverError) -> Bool {
    switch record.kind {
    case Kind.block, Kind.run:
      var blocks = naturalBlocks(record)
      guard let first = blocks.next() else { return false }
      return handover.tree.contains(RadixKey(first, in: geometry))
    case Kind.blob:
      guard let blob = try handover.subtree(named: name(slot)) else { return false }
      let size = record.frameCount * 4096
      return blob.byteCount == size
        && memory.isMarked(
          PhysicalRange(start: blob.address, byteCount: size), from: record.checksum)
    default:
      return try handover.subtree(named: name(slot)) != nil
    }
  }

  private func naturalBlocks(_ record: Ledger.Record) -> NaturalBlocks {
    NaturalBlocks(
      FrameRange(
        start: FrameNumber(containing: record.address, in: geometry),
        frameCount: record.frameCount), in: geometry)
  }

  /// Compares the tree with what must be in it, key by key, and all contents.
  fileprivate func requireExactly() throws(OutgoingHandoverError) {
    var count: UInt64 = 0
    func require(_ block: PhysicalBlock) {
      guard handover.tree.contains(RadixKey(block, in: geometry)) else {
        panic("torn: \(block) is not preserved")
      }
      count += 1
    }
    func require(_ frames: FrameRange) {
      for block in NaturalBlocks(frames, in: geometry) { require(block) }
    }
    require(handover.deviceTree)
    let root = try handover.rootDeviceTree()
    var blobCount = 2
    for blob in root.subtrees {
      require(
        FrameRange(
          covering: PhysicalRange(start: blob.address, byteCount: blob.byteCount ?? 0),
          in: geometry))
    }
    for slot in 0..<slotCount {
      let record = ledger[slot]
      switch record.kind {
      case Kind.empty: break
      case Kind.block, Kind.run:
        for block in naturalBlocks(record) {
          require(block)
        }
        let range = PhysicalRange(start: record.address, byteCount: record.frameCount * 4096)
        guard memory.isMarked(range, from: record.checksum) else {
          panic("torn: the contents of slot \(slot) are wrong")
        }
      case Kind.blob:
        blobCount += 1
        guard try exists(record, slot) else { panic("torn: the blob of slot \(slot) is wrong") }
      default:
        blobCount += 1
        var blocks = VmallocBlocks(
          try handover.area(inSubtree: name(slot)), in: memory, geometry: geometry)
        do throws(RecordError) {
          while let step = try blocks.next() {
            switch step {
            case .block(let block): require(block)
            case .chunk(let page): require(PhysicalBlock(address: page, order: .zero))
            }
          }
        } catch {
          panic("torn: the area of slot \(slot) cannot be read")
        }
      }
    }
    guard root.subtrees.count == blobCount else {
      panic("torn: \(root.subtrees.count) blobs instead of \(blobCount)")
    }
    guard handover.tree.count == count else {
      panic("torn: \(handover.tree.count) entries instead of \(count)")
    }
  }
}

/// The name of a slot's blob.
private func name(_ slot: Int) -> String {
  String(Unicode.Scalar(UInt8(truncatingIfNeeded: 65 + slot)))
}

// MARK: Until the next reset

/// Changes the handover without end.
func runUntilReset(_ kernel: inout Kernel) {
  say("running")
  do throws(OutgoingHandoverError) {
    var random = kernel.ledger.done &* 0x9e37_79b9_7f4a_7c15 ^ machine_ticks() | 1
    while kernel.ledger.done < .max {
      random ^= random << 13
      random ^= random >> 7
      random ^= random << 17
      try kernel.changeSomething(random)
    }
  } catch {
    panic("an operation: \(error.text)")
  }
}

extension Kernel {
  fileprivate mutating func changeSomething(_ random: UInt64) throws(OutgoingHandoverError) {
    let slot = Int(random >> 32 % UInt64(slotCount))
    let seed = random | 1
    switch ledger[slot].kind {
    case Kind.empty:
      switch random >> 8 & 7 {
      case 0...2: try preserveBlock(slot, PageOrder(Int(random >> 12 % 5)), seed)
      case 3...5: try preserveRun(slot, random >> 12 % 37 + 3, seed)
      case 6: try createBlob(slot, random >> 12 % 3 + 1, seed)
      default: try createArea(slot, random >> 12 % 40 + 1, seed)
      }
    case Kind.blob where random & 0x10000 != 0: try replaceBlob(slot, seed)
    default: try drop(slot)
    }
    if random >> 20 & 31 == 0 { handover.prune(into: &frames) }
  }

  private mutating func preserveBlock(
    _ slot: Int, _ order: PageOrder, _ seed: UInt64
  ) throws(OutgoingHandoverError) {
    guard let block = frames.takeBlock(order) else {
      throw .outOfFrames(frameCount: order.frameCount)
    }
    memory.mark(block.range(in: geometry), from: seed)
    let record = Ledger.Record(
      address: block.address, frameCount: order.frameCount, kind: Kind.block, checksum: seed)
    ledger.announce(slot, record)
    try handover.preserve(block, from: &frames)
    settle()
  }

  private mutating func preserveRun(
    _ slot: Int, _ frameCount: UInt64, _ seed: UInt64
  ) throws(OutgoingHandoverError) {
    guard let run = frames.takeFrames(frameCount) else {
      throw .outOfFrames(frameCount: frameCount)
    }
    memory.mark(run.range(in: geometry), from: seed)
    ledger.announce(
      slot,
      Ledger.Record(
        address: run.start.address(in: geometry), frameCount: frameCount, kind: Kind.run,
        checksum: seed))
    try handover.preserve(run, from: &frames)
    settle()
  }

  private mutating func createBlob(
    _ slot: Int, _ frameCount: UInt64, _ seed: UInt64
  ) throws(OutgoingHandoverError) {
    ledger.announce(
      slot,
      Ledger.Record(address: .zero, frameCount: frameCount, kind: Kind.blob, checksum: seed))
    try handover.createSubtree(
      named: name(slot), byteCount: frameCount * 4096, from: &frames
    ) { mark(&$0, from: seed) }
    settle()
  }

  private mutating func replaceBlob(_ slot: Int, _ seed: UInt64) throws(OutgoingHandoverError) {
    let frameCount = ledger[slot].frameCount
    ledger.announce(
      slot,
      Ledger.Record(address: .zero, frameCount: frameCount, kind: Kind.blob, checksum: seed))
    try handover.replaceSubtree(
      named: name(slot), byteCount: frameCount * 4096, from: &frames
    ) { mark(&$0, from: seed) }
    settle()
  }

  private mutating func createArea(
    _ slot: Int, _ blockCount: UInt64, _ seed: UInt64
  ) throws(OutgoingHandoverError) {
    ledger.announce(
      slot,
      Ledger.Record(address: .zero, frameCount: blockCount, kind: Kind.area, checksum: seed))
    _ = try handover.createAreaSubtree(
      named: name(slot), blockCount: blockCount, from: &frames)
    settle()
  }

  private mutating func drop(_ slot: Int) throws(OutgoingHandoverError) {
    let record = ledger[slot]
    ledger.announce(
      slot, Ledger.Record(address: .zero, frameCount: 0, kind: Kind.empty, checksum: 0))
    switch record.kind {
    case Kind.block: try handover.unpreserveAndFree(record.block, into: &frames)
    case Kind.run:
      try handover.unpreserveAndFree(
        FrameRange(
          start: FrameNumber(containing: record.address, in: geometry),
          frameCount: record.frameCount), into: &frames)
    case Kind.blob: try handover.removeSubtreeAndFree(named: name(slot), from: &frames)
    default: try handover.removeAreaSubtreeAndFree(named: name(slot), from: &frames)
    }
    settle()
  }

  private func settle() {
    guard let intent = ledger.intent else { panic("nothing was announced") }
    ledger.settle(intent)
  }
}

// MARK: Contents

/// The words of each page that are written and compared. More would only keep the machine busy outside
/// of what is tested.
private let markedWordCount = 16

extension Memory {
  /// Marks the pages of `range`, each with words that follow from `seed` and its place.
  fileprivate func mark(_ range: PhysicalRange, from seed: UInt64) {
    for page in 0..<(range.byteCount / 4096) {
      withWords(at: range.start.advanced(byBytes: page * 4096), count: markedWordCount) { words in
        for index in 0..<words.count {
          words.publish(seed &+ page << 32 &+ UInt64(index), at: index)
        }
      }
    }
  }

  fileprivate func isMarked(_ range: PhysicalRange, from seed: UInt64) -> Bool {
    for page in 0..<(range.byteCount / 4096) {
      let isMarked = withWords(
        at: range.start.advanced(byBytes: page * 4096), count: markedWordCount
      ) { words in
        for index in 0..<words.count
        where words.load(index) != seed &+ page << 32 &+ UInt64(index) {
          return false
        }
        return true
      }
      if !isMarked { return false }
    }
    return true
  }
}

/// Marks the bytes of whole pages as `Memory.mark(_:from:)` does.
@_lifetime(bytes: copy bytes)
private func mark(_ bytes: inout MutableRawSpan, from seed: UInt64) {
  for page in 0..<(bytes.byteCount / 4096) {
    for index in 0..<markedWordCount {
      bytes.storeBytes(
        of: seed &+ UInt64(page) << 32 &+ UInt64(index), toByteOffset: page * 4096 + index * 8,
        as: UInt64.self)
    }
  }
}
