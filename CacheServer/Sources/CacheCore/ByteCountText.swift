/// Bytes as Redis takes them: a number, and `b`, `k`, `kb`, `m`, `mb`, `g`, `gb` behind it.
public enum ByteCountText {
  /// The number of bytes that `text` spells, or `nil` if it is not a number of bytes.
  public static func parse(_ text: String) -> UInt64? {
    let digits = text.utf8.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard let count = UInt64(String(Substring(digits))) else { return nil }
    let unit: UInt64
    switch text.dropFirst(digits.count).lowercased() {
    case "", "b": unit = 1
    case "k": unit = 1000
    case "kb": unit = 1 << 10
    case "m": unit = 1_000_000
    case "mb": unit = 1 << 20
    case "g": unit = 1_000_000_000
    case "gb": unit = 1 << 30
    default: return nil
    }
    let (product, overflow) = count.multipliedReportingOverflow(by: unit)
    return overflow ? nil : product
  }
}
