import Handover
import MemoryAccess
import PageAllocation
import PreservedPages

// The core against simple models, step by step, without an operating system: what `.ci/core-arm` runs on each
// processor. A trial of steps returns 0, or the number of the first step after which the core and the model differ;
// that of a handover returns 0, or the number of the comparison that failed. An error of the core is 2^64 - 1.

/// The same numbers for the same seed, on every processor.
private struct Numbers {
  var state: UInt64

  mutating func next(below limit: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int((state &>> 33) % UInt64(limit))
  }
}

private let geometry = PageGeometry.pages4KiB
private let start = PhysicalAddress(1 << 20)

/// The memory at `base`.
private func directMap(_ base: UnsafeMutableRawPointer, _ byteCount: UInt64) -> DirectMap {
  // SAFETY: the caller of a trial promises the memory.
  unsafe DirectMap(PhysicalRange(start: start, byteCount: byteCount), mappedAt: base)
}

/// The tree of one thread and the tree of many, each beside a set of keys.
///
/// - Precondition: `base` is a multiple of the page size, and `byteCount` bytes from it are free, 4 MiB or more.
@c
public func kho_trial_trees(
  _ base: UnsafeMutableRawPointer, _ byteCount: UInt64, _ seed: UInt64
) -> UInt64 {
  // SAFETY: the caller promises the memory.
  let memory = unsafe directMap(base, byteCount)
  var frames = FramePool(of: memory.range, in: memory, geometry: geometry)
  var numbers = Numbers(state: seed)
  let orderCount = 3
  let blockCount = 2048
  var isMarked = [Bool](repeating: false, count: orderCount * blockCount)
  var markedCount = 0
  do throws(RadixTreeError) {
    var plain = try RadixTree(in: memory, geometry: RadixGeometry(geometry), from: &frames)
    let other = try RadixTree(in: memory, geometry: RadixGeometry(geometry), from: &frames)
    var concurrent = ConcurrentRadixTree(
      adopting: other.root, in: memory, geometry: RadixGeometry(geometry))
    for step in 1...UInt64(20_000) {
      let order = numbers.next(below: orderCount)
      let block = numbers.next(below: blockCount)
      // Blocks that are near each other, and some in another part of memory.
      let far: UInt64 = block & 1 == 0 ? 1 << 30 : 1 << 40
      let address = PhysicalAddress(far &+ UInt64(block) &<< UInt64(12 &+ order))
      let key = RadixKey(address, order: PageOrder(order), in: geometry)
      let index = order &* blockCount &+ block
      if numbers.next(below: 2) == 0 {
        let isNew = try plain.insert(key, from: &frames)
        guard try concurrent.insert(key, from: &frames) == isNew, isNew != isMarked[index] else {
          return step
        }
        isMarked[index] = true
        markedCount &+= isNew ? 1 : 0
      } else {
        let wasThere = plain.remove(key)
        guard concurrent.remove(key) == wasThere, wasThere == isMarked[index] else { return step }
        isMarked[index] = false
        markedCount &-= wasThere ? 1 : 0
      }
      guard plain.contains(key) == isMarked[index], concurrent.contains(key) == isMarked[index]
      else { return step }
      guard step % 2_500 == 0 else { continue }
      guard plain.count == UInt64(markedCount) else { return step }
      // The reader that trusts nothing finds the same in both.
      for root in [plain.root, other.root] {
        let reader = RadixTreeReader(memory, geometry: RadixGeometry(geometry), root: root)
        let survey = PreservedPagesSurvey(reader)
        guard survey.entryCount == UInt64(markedCount) else { return step }
      }
    }
    return 0
  } catch {
    return .max
  }
}

/// The page allocator beside the owner of each frame.
///
/// - Precondition: as ``kho_trial_trees(_:_:_:)``.
@c
public func kho_trial_allocator(
  _ base: UnsafeMutableRawPointer, _ byteCount: UInt64, _ seed: UInt64
) -> UInt64 {
  // SAFETY: the caller promises the memory.
  let memory = unsafe directMap(base, byteCount)
  var numbers = Numbers(state: seed)
  do throws(BuddyAllocatorError) {
    let all = FrameRange(within: memory.range, in: geometry)
    var allocator = try BuddyAllocator(
      free: CollectionOfOne(all), in: memory, geometry: geometry)
    let freeCount = allocator.freeFrameCount
    var owners = [UInt16](repeating: 0, count: Int(all.frameCount))
    var blocks: [PhysicalBlock] = []
    for step in 1...UInt64(20_000) {
      let isFull = allocator.freeFrameCount < 64
      if !isFull, blocks.isEmpty || numbers.next(below: 2) == 0 {
        let order = PageOrder(numbers.next(below: 5))
        let block: PhysicalBlock
        do throws(BuddyAllocatorError) { block = try allocator.allocate(order) } catch { continue }
        guard block.address.isAligned(log2ByteCount: 12 &+ Int(order.rawValue)) else { return step }
        for frame in frames(of: block) {
          guard owners.indices.contains(frame), owners[frame] == 0 else { return step }
          owners[frame] = 1
        }
        blocks.append(block)
      } else {
        let index = numbers.next(below: blocks.count)
        blocks.swapAt(index, blocks.count &- 1)
        let block = blocks.removeLast()
        for frame in frames(of: block) { owners[frame] = 0 }
        try allocator.free(block)
      }
      guard step % 2_500 == 0 else { continue }
      do throws(AllocatorDamage) { try allocator.validate() } catch { return step }
    }
    for block in blocks { try allocator.free(block) }
    return allocator.freeFrameCount == freeCount ? 0 : .max
  } catch {
    return .max
  }
}

/// The numbers of the frames of `block`, from the start of the memory.
private func frames(of block: PhysicalBlock) -> Range<Int> {
  let first = Int((block.address.rawValue &- start.rawValue) &>> 12)
  return first..<first &+ Int(block.order.frameCount)
}

/// A handover of blocks with contents: prepared, taken over, and compared byte by byte.
///
/// - Precondition: as ``kho_trial_trees(_:_:_:)``.
@c
public func kho_trial_handover(
  _ base: UnsafeMutableRawPointer, _ byteCount: UInt64, _ seed: UInt64
) -> UInt64 {
  // SAFETY: the caller promises the memory.
  let memory = unsafe directMap(base, byteCount)
  var numbers = Numbers(state: seed)
  var kept: [PhysicalBlock] = []
  var dropped: [PhysicalBlock] = []
  let deviceTree: PhysicalAddress
  do throws(BuddyAllocatorError) {
    // The first page is the anchor's.
    let free = PhysicalRange(start: start.advanced(byBytes: 4096), byteCount: byteCount &- 4096)
    var allocator = try BuddyAllocator(
      free: CollectionOfOne(FrameRange(within: free, in: geometry)), in: memory,
      geometry: geometry)
    do throws(OutgoingHandoverError) {
      var handover = try OutgoingHandover(
        in: memory, geometry: geometry, anchor: WordAnchor(at: start, in: memory),
        scratchAreas: [], from: &allocator)
      for number in 0..<200 as Range<UInt64> {
        let order = PageOrder(numbers.next(below: 3))
        let block = try handover.allocatePreserved(order, from: &allocator)
        let range = block.range(in: geometry)
        memory.withWords(at: range.start, count: Int(range.byteCount / 8)) { words in
          for index in 0..<words.count { words.store(number &<< 32 | UInt64(index), at: index) }
        }
        kept.append(block)
        if numbers.next(below: 4) == 0 {
          let victim = kept.remove(at: numbers.next(below: kept.count))
          try handover.unpreserve(victim)
          dropped.append(victim)
        }
      }
      deviceTree = handover.deviceTree.address
    } catch {
      return .max
    }
  } catch {
    return .max
  }
  // The successor knows the anchor alone.
  let found = memory.withWords(at: start, count: 1) { PhysicalAddress($0.load(0)) }
  guard found == deviceTree else { return 1 }
  do throws(IncomingHandoverError) {
    var incoming = try IncomingHandover(at: found, in: memory, geometry: geometry)
    for block in kept where !incoming.contains(block) { return 2 }
    for block in dropped where incoming.contains(block) { return 3 }
    for block in kept {
      let range = block.range(in: geometry)
      let isSame = memory.withWords(at: range.start, count: Int(range.byteCount / 8)) { words in
        let number = words.load(0) &>> 32
        for index in 0..<words.count where words.load(index) != number &<< 32 | UInt64(index) {
          return false
        }
        return true
      }
      guard isSame else { return 4 }
    }
    return 0
  } catch {
    return .max
  }
}
