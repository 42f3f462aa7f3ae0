public import MemoryAccess

// Questions about memory rather than about keys. One block may be an entry at any order, so each
// question is asked of every order that is in use; a caller that asks often keeps that set.

extension RadixTree {
  /// The orders of the entries.
  ///
  /// - Complexity: O(orders · levels · page size), more where emptied nodes are between entries.
  public var ordersInUse: PageOrderSet {
    var orders = PageOrderSet()
    var next = firstKey
    while let key = next, let order = key.order(in: geometry.page) {
      orders.insert(order)
      // The next smaller order's keys begin where this one's end.
      let top = 63 &- key.rawValue.leadingZeroBitCount
      next = top == 63 ? nil : firstKey(atOrAfter: 2 &<< UInt64(top))
    }
    return orders
  }

  /// The entry that holds the byte at `address`, of one of `orders`; `nil` if no entry holds it.
  ///
  /// - Complexity: O(orders · levels).
  @inlinable
  public func entry(holding address: PhysicalAddress, of orders: PageOrderSet) -> PhysicalBlock? {
    let page = geometry.page
    return orders.first { order in
      let block = PhysicalBlock(holding: address, order: order, in: page)
      return contains(RadixKey(block, in: page)) ? block : nil
    }
  }

  /// An entry of another order than `block`, one of `orders`, that shares bytes with it; `nil` if no entry
  /// does.
  ///
  /// - Complexity: O(orders · (levels + words of the block's keys)).
  @inlinable
  public func entry(
    overlapping block: PhysicalBlock, of orders: PageOrderSet
  ) -> PhysicalBlock? {
    entry(
      overlapping: BlockRun(address: block.address, order: block.order, blockCount: 1), of: orders)
  }

  /// An entry of another order than the blocks of `run`, one of `orders`, that shares bytes with one of
  /// them; `nil` if no entry does.
  ///
  /// - Precondition: the blocks are aligned to their size and end at 2^64 bytes at the latest.
  /// - Complexity: O(orders · (levels + words of the run's keys)).
  @inlinable
  public func entry(
    overlapping run: BlockRun, of orders: PageOrderSet
  ) -> PhysicalBlock? {
    let page = geometry.page
    let last = run.last(in: page)
    return orders.first { order in
      if order == run.order { return nil }
      let first = PhysicalBlock(holding: run.address, order: order, in: page)
      let firstKey = RadixKey(first, in: page)
      let lastKey = RadixKey(PhysicalBlock(holding: last, order: order, in: page), in: page)
      if firstKey == lastKey { return contains(firstKey) ? first : nil }
      return self.firstKey(from: firstKey, through: lastKey)?.decoded(in: page)
    }
  }

  /// Whether entries of `orders` cover all pages of `range`; the pages at its edges count whole.
  ///
  /// - Complexity: O(entries in the range · orders · levels).
  public func covers(_ range: PhysicalRange, with orders: PageOrderSet) -> Bool {
    guard let last = range.last else { return true }
    var address = range.start
    while let entry = entry(holding: address, of: orders) {
      guard let end = entry.range(in: geometry.page).last, end < last else { return true }
      address = PhysicalAddress(end.rawValue &+ 1)
    }
    return false
  }
}

extension PhysicalBlock {
  /// The naturally aligned block of `order` that holds the byte at `address`.
  @inlinable
  public init(holding address: PhysicalAddress, order: PageOrder, in geometry: PageGeometry) {
    let mask = geometry.blockByteCount(order) &- 1
    self.init(address: PhysicalAddress(address.rawValue & ~mask), order: order)
  }
}
