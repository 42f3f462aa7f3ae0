import Machine
import MemoryAccess

/// One line on the serial port, without a heap and without a `String`.
///
/// The parts of an interpolated literal go to the port one after the other, while Swift evaluates
/// them; nothing is put together in memory.
struct Line: ExpressibleByStringInterpolation {
  struct StringInterpolation: StringInterpolationProtocol {
    init(literalCapacity: Int, interpolationCount: Int) {}

    mutating func appendLiteral(_ literal: StaticString) { write(literal) }
    mutating func appendInterpolation(_ text: StaticString) { write(text) }
    mutating func appendInterpolation(_ value: UInt64) { write(value, base: 10) }
    mutating func appendInterpolation(_ value: Int) { write(UInt64(value), base: 10) }
    mutating func appendInterpolation(hex value: UInt64) {
      write("0x")
      write(value, base: 16)
    }
    mutating func appendInterpolation(hex32 value: UInt32) {
      for shift in (0..<8).reversed() { write(UInt64(value >> (4 * UInt32(shift)) & 15), base: 16) }
    }
    mutating func appendInterpolation(_ address: PhysicalAddress) {
      appendInterpolation(hex: address.rawValue)
    }
    mutating func appendInterpolation(_ range: PhysicalRange) {
      appendInterpolation(hex: range.start.rawValue)
      write(" + ")
      appendInterpolation(hex: range.byteCount)
    }
    mutating func appendInterpolation(_ block: PhysicalBlock) {
      appendInterpolation(block.address)
      write(" of order ")
      appendInterpolation(UInt64(block.order.rawValue))
    }
    mutating func appendInterpolation(_ text: String) {
      for byte in text.utf8 { _ = putchar(Int32(byte)) }
    }
  }

  init(stringInterpolation: StringInterpolation) {}
  init(stringLiteral text: StaticString) { write(text) }
}

private func write(_ text: StaticString) {
  text.withUTF8Buffer { bytes in
    // SAFETY: the indices are those of the buffer.
    for index in 0..<bytes.count { _ = putchar(Int32(unsafe bytes[index])) }
  }
}

private func write(_ value: UInt64, base: UInt64) {
  if value >= base { write(value / base, base: base) }
  let digit = UInt8(truncatingIfNeeded: value % base)
  _ = putchar(Int32(digit < 10 ? 48 &+ digit : 87 &+ digit))
}

/// Prints a line.
func say(_ line: @autoclosure () -> Line) {
  _ = line()
  _ = putchar(10)
}

/// Prints why the kernel cannot go on, and ends the machine with status 7 (x86-64).
func panic(_ line: @autoclosure () -> Line) -> Never {
  _ = "panic: " as Line
  say(line())
  machine_exit(3)
}
