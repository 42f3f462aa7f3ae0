import MemoryAccess

// What the readers of logs and of files of `/proc` have in common.

extension StringProtocol {
  /// What follows the first `marker`; nil if the text does not contain it.
  func after(_ marker: String) -> Substring? {
    let bytes = utf8
    let wanted = marker.utf8
    guard let first = wanted.first else { return Substring(self) }
    var position = bytes.startIndex
    while let start = bytes[position...].firstIndex(of: first) {
      if bytes[start...].starts(with: wanted) {
        return Substring(self[bytes.index(start, offsetBy: wanted.count)...])
      }
      position = bytes.index(after: start)
    }
    return nil
  }
}

/// The decimal number at the start of `text`; nil if `text` does not begin with a digit, or the number is too large.
func number(_ text: some StringProtocol) -> UInt64? {
  UInt64(text.prefix { $0.isASCII && $0.isNumber })
}

/// The hexadecimal number at the start of `text`, after `0x`.
func hexadecimalNumber(_ text: some StringProtocol) -> UInt64? {
  guard text.hasPrefix("0x") else { return nil }
  return UInt64(text.dropFirst(2).prefix { $0.isASCII && $0.isHexDigit }, radix: 16)
}

/// A number of kibibytes, `41628K`, in bytes; nil above 2^52.
func kibibytes(_ text: some StringProtocol) -> UInt64? {
  guard let count = number(text), count <= 1 << 42,
    text.drop(while: { $0.isASCII && $0.isNumber }).first == "K"
  else { return nil }
  return count << 10
}

/// The first `[mem 0xA-0xB]` of `text`; nil if `text` does not contain it, or B is below A.
func memoryRange(in text: some StringProtocol) -> PhysicalRange? {
  guard let rest = text.after("[mem "), let start = hexadecimalNumber(rest),
    let dash = rest.after("-"), let last = hexadecimalNumber(dash), last >= start,
    last < 1 << 52
  else { return nil }
  return PhysicalRange(start: PhysicalAddress(start), byteCount: last - start + 1)
}
