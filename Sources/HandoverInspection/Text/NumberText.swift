/// A number as an operator writes it: decimal, or hexadecimal with `0x`; K, M, G and T are powers of 1024.
package enum NumberText {
  /// Why text is not such a number.
  package struct Failure: Error {
    /// What is wrong, in a sentence without its subject.
    package let reason: String
  }

  /// Reads a number.
  package static func parse(_ text: some StringProtocol) throws(Failure) -> UInt64 {
    var digits = Substring(text)
    var shift = 0
    if let last = digits.last, let suffix = "KMGT".firstIndex(of: Character(last.uppercased())) {
      shift = 10 * ("KMGT".distance(from: "KMGT".startIndex, to: suffix) + 1)
      digits.removeLast()
    }
    let isHexadecimal = digits.hasPrefix("0x") || digits.hasPrefix("0X")
    if isHexadecimal { digits.removeFirst(2) }
    // A sign does not belong to an address, and `UInt64.init` would take one.
    let allowed = isHexadecimal ? "0123456789abcdef" : "0123456789"
    guard !digits.isEmpty, digits.allSatisfy({ allowed.contains($0.lowercased()) }) else {
      throw Failure(
        reason: "a number is decimal, or hexadecimal with 0x, and may end in K, M, G or T")
    }
    guard let value = UInt64(digits, radix: isHexadecimal ? 16 : 10),
      value.leadingZeroBitCount >= shift || value == 0
    else { throw Failure(reason: "it is larger than 2^64 - 1") }
    return value << UInt64(shift)
  }
}
