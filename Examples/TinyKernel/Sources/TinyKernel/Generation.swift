import Handover
import Machine
import MemoryAccess
import PageAllocation
import PreservedPages

/// What one generation does: preserves more, drops something, and boots the next kernel.
func runGeneration(_ kernel: inout Kernel) {
  let generation = kernel.ledger.generation
  do throws(OutgoingHandoverError) {
    try kernel.addAndDrop()
    do throws(AllocatorDamage) { try kernel.frames.validate() } catch {
      panic("the page allocator is damaged")
    }
    if generation == 2 { kernel.damage() }
    if generation < kernel.boot.options.generations {
      kernel.bootItself()
    }
    try kernel.bootLinux()
  } catch {
    panic("generation \(generation): \(error.text)")
  }
}

extension Ledger {
  /// The kind of a record that is an area.
  static var area: UInt64 { 3 }
}

extension Ledger.Record {
  /// The area that the record describes.
  var area: VmallocArea {
    VmallocArea(firstChunk: address, pageCount: UInt32(truncatingIfNeeded: frameCount))
  }
}

extension Memory {
  /// The sum over an area, block by block.
  func sum(_ area: VmallocArea) -> UInt64 {
    var total: UInt64 = 0
    var blocks = VmallocBlocks(area, in: self, geometry: geometry)
    do throws(RecordError) {
      while let step = try blocks.next() {
        if case .block(let block) = step { total += sum(block.range(in: geometry)) }
      }
    } catch {
      panic("an area cannot be read")
    }
    return total % 0xffff_ffff
  }
}

/// Every second frame of a run: as scattered as memory can be.
private struct EverySecond: RandomAccessCollection {
  let start: PhysicalAddress
  let endIndex: Int
  var startIndex: Int { 0 }
  subscript(index: Int) -> PhysicalAddress { start.advanced(byBytes: UInt64(index) * 8192) }
}

extension Kernel {
  /// Drops a few blocks and preserves others, of many orders; in the first generation an area and a
  /// named blob as well.
  fileprivate mutating func addAndDrop() throws(OutgoingHandoverError) {
    if ledger.generation > 1 {
      try drop()
      try replaceNote()
    }
    let orders: InlineArray<9, Int> = [0, 0, 1, 2, 3, 5, 7, 9, 10]
    for index in 0..<orders.count {
      if index == 0 { StackMeter.begin() }
      let block = try handover.allocatePreserved(PageOrder(orders[index]), from: &frames)
      if index == 0 { StackMeter.end("allocatePreserved(order)") }
      record(block)
    }
    if ledger.generation == 1 {
      try preserveScatteredArea()
      try createNote()
    }
    say(
      "  \(ledger.count) blocks in the ledger, root device tree at \(handover.deviceTree.address)")
  }

  private mutating func record(_ block: PhysicalBlock) {
    let range = block.range(in: geometry)
    memory.fill(range, from: block.address.rawValue ^ ledger.generation << 48)
    ledger.append(
      Ledger.Record(
        address: block.address, frameCount: block.order.frameCount, checksum: memory.sum(range)))
  }

  private mutating func preserveScatteredArea() throws(OutgoingHandoverError) {
    guard let run = frames.takeFrames(1024) else { throw .outOfFrames(frameCount: 1024) }
    let pages = EverySecond(start: run.start.address(in: geometry), endIndex: 512)
    for page in pages {
      memory.fill(geometry.page(at: page), from: page.rawValue)
      frames.giveBack(page.advanced(byBytes: 4096))
    }
    StackMeter.begin()
    let area = try handover.preserveArea(pages, from: &frames)
    StackMeter.end("preserveArea(512 pages)")
    ledger.append(
      Ledger.Record(
        address: area.firstChunk, frameCount: UInt64(area.pageCount), kind: Ledger.area,
        checksum: memory.sum(area)))
  }

  /// A named blob, which every generation replaces: it contains the number of the one that wrote it.
  private mutating func createNote() throws(OutgoingHandoverError) {
    let generation = ledger.generation
    try handover.createSubtree(named: "note", byteCount: 8, from: &frames) {
      $0.storeBytes(of: generation, toByteOffset: 0, as: UInt64.self)
    }
  }

  private mutating func replaceNote() throws(OutgoingHandoverError) {
    guard let note = try handover.subtree(named: "note") else { throw .noSuchSubtree }
    let writer = memory.withWords(at: note.address, count: 1) { $0.load(0) }
    guard writer == ledger.generation - 1 else {
      panic("the note is of generation \(writer)")
    }
    let generation = ledger.generation
    StackMeter.begin()
    try handover.replaceSubtree(named: "note", byteCount: 8, from: &frames) {
      $0.storeBytes(of: generation, toByteOffset: 0, as: UInt64.self)
    }
    StackMeter.end("replaceSubtree")
  }

  /// Drops the two oldest blocks and the newest one, the only one of its size.
  private mutating func drop() throws(OutgoingHandoverError) {
    let newest = ledger.lastIndex { $0.kind != Ledger.area }
    for index in [newest, 1, 0] {
      let block = ledger[index].block
      StackMeter.begin()
      try handover.unpreserveAndFree(block, into: &frames)
      StackMeter.end("unpreserveAndFree(block)")
      ledger.remove(at: index)
    }
    StackMeter.begin()
    let freedCount = handover.prune(into: &frames)
    StackMeter.end("prune(into:)")
    say("  three blocks dropped, \(freedCount) nodes of the tree pruned")
  }

  /// Breaks something, where the command line asks for it: what is not noticed is a fault of the test.
  fileprivate func damage() {
    switch boot.options.damage {
    case 1:
      let address = ledger[3].address.rawValue + 8
      machine_store64(address, machine_load64(address) ^ 1 << 40)
    case 2:
      machine_store64(handover.tree.root.rawValue + 511 * 8, 0xdead_beef_0000_0001)
    default: break
    }
  }
}
