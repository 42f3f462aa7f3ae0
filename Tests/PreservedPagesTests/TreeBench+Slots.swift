import HandoverTestSupport
import MemoryAccess
import PreservedPages

extension TreeBench {
  /// The place of the pointer that leads from the table of `level` towards `key`.
  ///
  /// - Precondition: the tables above exist.
  borrowing func slot(towards key: UInt64, level: Int) -> RadixSlot {
    let shift = geometry.page.shift
    var table = tree.root
    var at = geometry.levelCount - 1
    while true {
      let bits = UInt64(shift + 3 + (at - 1) * (shift - 3))
      let index = (key >> bits) % (1 << UInt64(shift - 3))
      let slot = RadixSlot(table: table, level: at, index: Int(index))
      if at == level { return slot }
      table = PhysicalAddress(memory.word(at: slot.address.rawValue))
      at -= 1
    }
  }

  /// The leaf of `key`.
  borrowing func leaf(of key: UInt64) -> PhysicalAddress {
    pointer(slot(towards: key, level: 1))
  }

  /// What is at a place.
  borrowing func pointer(_ slot: RadixSlot) -> PhysicalAddress {
    PhysicalAddress(memory.word(at: slot.address.rawValue))
  }

  /// Overwrites what is at a place.
  borrowing func setPointer(_ slot: RadixSlot, _ pointer: PhysicalAddress) {
    memory.setWord(pointer.rawValue, at: slot.address.rawValue)
  }
}

extension PreservedPagesSurvey {
  /// All entries by address.
  func blocks(in memory: some PhysicalMemory) -> [PhysicalBlock] {
    var blocks: [PhysicalBlock] = []
    forEachBlock(in: memory) { blocks.append($0) }
    return blocks
  }
}
