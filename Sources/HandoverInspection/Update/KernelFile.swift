/// What the header of a bzImage of x86-64 says.
///
/// Source: Linux, Documentation/arch/x86/boot.rst.
struct KernelFile {
  /// The version, such as "7.3.4 (root@host) #1 SMP …".
  let version: String
  /// How much memory in one piece the kernel uses when it starts, in bytes.
  let runtimeByteCount: UInt64

  /// Reads the header; nil of any other file, and of boot protocols before 2.12.
  init?(_ bytes: [UInt8]) {
    func number(_ offset: Int, _ byteCount: Int) -> UInt64 {
      (0..<byteCount).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
    }
    guard bytes.count > 0x268, number(0x202, 4) == 0x5372_6448, number(0x206, 2) >= 0x20c else {
      return nil
    }
    runtimeByteCount = number(0x260, 4)
    let start = Int(number(0x20e, 2)) + 0x200
    guard start < bytes.count else { return nil }
    let text = bytes[start...].prefix(256).prefix { $0 != 0 }
    version = String(decoding: text, as: UTF8.self)
  }
}
