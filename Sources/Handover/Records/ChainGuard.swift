import MemoryAccess

/// Notices when a chain of pages leads back to where it was, without remembering the pages.
///
/// Brent's way: the page that is remembered moves up after 1, 2, 4, … steps, so that it is soon
/// inside any cycle, and is met again after one round.
struct ChainGuard {
  private var remembered: PhysicalAddress?
  private var stepCount: UInt64 = 0
  private var limit: UInt64 = 1

  /// Takes the next page of the chain; false when it was passed already.
  mutating func advance(to page: PhysicalAddress) -> Bool {
    if page == remembered { return false }
    stepCount &+= 1
    if remembered == nil || stepCount == limit {
      remembered = page
      stepCount = 0
      limit &*= 2
    }
    return true
  }
}
