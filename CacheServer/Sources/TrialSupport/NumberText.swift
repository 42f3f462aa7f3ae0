/// A number with as many digits behind the point as asked, at most nine.
public func decimal(_ value: Double, _ digits: Int) -> String {
  guard value.isFinite, abs(value) < 1e15 else { return value.isFinite ? "\(value)" : "·" }
  var scale = 1.0
  for _ in 0..<digits { scale *= 10 }
  let scaled = UInt64((abs(value) * scale).rounded())
  let whole = scaled / UInt64(scale)
  let sign = value < 0 && scaled > 0 ? "-" : ""
  guard digits > 0 else { return "\(sign)\(whole)" }
  let rest = String(scaled % UInt64(scale))
  return "\(sign)\(whole)." + String(repeating: "0", count: digits - rest.count) + rest
}

/// Three significant digits or so.
public func shortDecimal(_ value: Double) -> String {
  decimal(value, abs(value) < 1 ? 3 : abs(value) < 10 ? 2 : abs(value) < 100 ? 1 : 0)
}

/// A number of bytes for people: `214 bytes`, `84.0 KiB`, `2.18 MiB`.
public func byteText(_ byteCount: UInt64) -> String {
  if byteCount < 1024 { return byteCount == 1 ? "1 byte" : "\(byteCount) bytes" }
  var value = Double(byteCount) / 1024
  for unit in ["KiB", "MiB", "GiB"] {
    if value < 1024 { return "\(shortDecimal(value)) \(unit)" }
    value /= 1024
  }
  return "\(shortDecimal(value)) TiB"
}
