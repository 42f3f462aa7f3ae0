/// Bytes that follow from a number, so that a value can be checked with the number alone.
public enum Pattern {
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-".utf8)

  /// Adds `count` printable bytes that follow from `seed`.
  public static func append(seed: UInt64, count: Int, to bytes: inout [UInt8]) {
    bytes.reserveCapacity(bytes.count + count)
    var generator = SplitMix(seed: seed)
    var rest = count
    while rest > 0 {
      var word = generator.next()
      // Ten letters of six bits are in a word.
      for _ in 0..<min(rest, 10) {
        bytes.append(alphabet[Int(word & 63)])
        word >>= 6
      }
      rest -= 10
    }
  }

  /// The bytes alone.
  public static func bytes(seed: UInt64, count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    append(seed: seed, count: count, to: &bytes)
    return bytes
  }

  /// A number of its own for each pair.
  public static func seed(_ first: UInt64, _ second: UInt64) -> UInt64 {
    SplitMix.mixed(SplitMix.mixed(first &+ 0x9e37_79b9_7f4a_7c15) &+ second)
  }
}
