/// A set of pages, by number: a bit for each, in words of 64 pages that have one.
struct PageSet {
  private var words: [UInt64: UInt64] = [:]

  /// Adds a page; returns whether it was not in the set.
  mutating func insert(_ page: UInt64) -> Bool {
    let bit: UInt64 = 1 << (page & 63)
    let before = words[page >> 6, default: 0]
    guard before & bit == 0 else { return false }
    words[page >> 6] = before | bit
    return true
  }
}
