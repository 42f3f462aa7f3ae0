internal import MemoryAccess

/// What Linux writes about itself for crash dumps: lines `KEY=VALUE`.
///
/// Source: Linux, Documentation/admin-guide/kdump/vmcoreinfo.rst.
enum VMCoreInfo {
  /// The number in the line `PAGESIZE=`, if it is a page size.
  static func pageByteCount(in text: ArraySlice<UInt8>) -> Int? {
    let key = "PAGESIZE="
    for line in text.split(separator: UInt8(ascii: "\n")) where line.starts(with: key.utf8) {
      let digits = String(decoding: line.dropFirst(key.utf8.count), as: UTF8.self)
      guard let count = Int(digits), count > 0, count & (count &- 1) == 0,
        (PageGeometry.smallestShift...PageGeometry.largestShift).contains(
          count.trailingZeroBitCount)
      else { return nil }
      return count
    }
    return nil
  }
}
