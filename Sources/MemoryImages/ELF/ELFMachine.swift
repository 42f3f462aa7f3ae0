/// The machine an ELF file is for: e_machine, elf(5) and linux/elf-em.h.
@frozen
public struct ELFMachine: RawRepresentable, Hashable, Sendable {
  /// The number in the file.
  public let rawValue: UInt16

  /// The machine of that number.
  @inlinable
  public init(rawValue: UInt16) {
    self.rawValue = rawValue
  }

  /// x86-64: EM_X86_64, 62.
  @inlinable
  public static var x86_64: ELFMachine { ELFMachine(rawValue: 62) }
  /// AArch64, Linux's arm64: EM_AARCH64, 183.
  @inlinable
  public static var aarch64: ELFMachine { ELFMachine(rawValue: 183) }
}

extension ELFMachine: CustomStringConvertible {
  /// The name as `uname -m` has it, or the number.
  public var description: String {
    switch self {
    case .x86_64: "x86_64"
    case .aarch64: "aarch64"
    default: "ELF machine \(rawValue)"
    }
  }
}
