internal import Platform

// What the standard library has no word for.

/// Whether two spans hold the same bytes.
@inline(__always)
func isEqual(_ one: RawSpan, _ other: RawSpan) -> Bool {
  guard one.byteCount == other.byteCount else { return false }
  if one.byteCount == 0 { return true }
  // SAFETY: both are as long as that, and live during the call.
  return unsafe one.withUnsafeBytes { one in
    unsafe other.withUnsafeBytes { other in
      unsafe memcmp(one.baseAddress!, other.baseAddress!, one.count) == 0
    }
  }
}

/// Compares two spans byte by byte: less than 0 where `one` comes first. A span comes before those that it
/// begins.
@inline(__always)
func compareBytes(_ one: RawSpan, _ other: RawSpan) -> Int {
  let count = min(one.byteCount, other.byteCount)
  if count > 0 {
    // SAFETY: both are as long as that, and live during the call.
    let order = unsafe one.withUnsafeBytes { one in
      unsafe other.withUnsafeBytes { other in
        unsafe Int(memcmp(one.baseAddress!, other.baseAddress!, count))
      }
    }
    if order != 0 { return order }
  }
  return one.byteCount &- other.byteCount
}

/// Copies `source` to byte `offset` of `target` and on.
///
/// - Precondition: it fits.
@inline(__always)
func copy(_ source: RawSpan, to target: inout MutableRawSpan, at offset: Int = 0) {
  precondition(
    offset >= 0 && offset <= target.byteCount && source.byteCount <= target.byteCount &- offset,
    "more bytes than fit")
  if source.byteCount == 0 { return }
  // SAFETY: as many bytes are in both, and a span that is written has no other user.
  unsafe source.withUnsafeBytes { source in
    unsafe target.withUnsafeMutableBytes { target in
      unsafe (target.baseAddress! + offset).copyMemory(
        from: source.baseAddress!, byteCount: source.count)
    }
  }
}
