public import Handover

/// The options of a kernel's command line that are about KHO.
public struct KernelCommandLine: Hashable, Sendable {
  /// Whether `kho=` turns KHO on; nil if the line does not contain the option.
  public private(set) var isEnabled: Bool?
  /// What `kho_scratch=` asks for; nil if the line does not contain the option, or if it is malformed, as Linux
  /// ignores it then.
  public private(set) var scratch: ScratchRequest?
  /// Whether the kernel stays where the boot loader put it (`nokaslr`).
  public private(set) var hasFixedAddress = false

  /// The most bytes of a command line that are read.
  public static let byteLimit = 1 << 16

  /// Reads a command line, as `/proc/cmdline` contains it. The last of several equal options counts.
  public init(_ text: some StringProtocol) {
    for word in text.split(whereSeparator: \.isWhitespace) {
      if word == "--" { break }
      if let value = word.dropped("kho=") {
        isEnabled = Self.truth(value) ?? isEnabled
      } else if let value = word.dropped("kho_scratch=") {
        scratch = (try? ScratchRequest(parsing: String(value))) ?? scratch
      } else if word == "nokaslr" {
        hasFixedAddress = true
      }
    }
  }

  /// What Linux takes for yes and no: the first letter, and of `on` and `off` the second.
  private static func truth(_ value: Substring) -> Bool? {
    let value = value.lowercased()
    return switch value.first {
    case "y", "t", "1": true
    case "n", "f", "0": false
    case "o":
      switch value.dropFirst().first {
      case "n": true
      case "f": false
      default: nil
      }
    default: nil
    }
  }
}

extension StringProtocol {
  /// What follows `prefix`, after quotation marks; nil where the text begins otherwise.
  fileprivate func dropped(_ prefix: String) -> Substring? {
    let text = drop { $0 == "\"" }
    guard text.hasPrefix(prefix) else { return nil }
    let value = text.dropFirst(prefix.count)
    return Substring(value.filter { $0 != "\"" })
  }
}
