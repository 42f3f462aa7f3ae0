internal import CacheCore
internal import Logging
internal import RESP
internal import SystemPackage

extension Engine {
  /// `CONFIG REWRITE`: the configuration file with the settings as they are now. Comments, and what only a
  /// start takes, stay; the file is replaced in one step.
  func rewriteConfiguration() {
    guard let file = configuration.file, let settings = cache?.settings else {
      return reply.error("ERR The server is running without a config file")
    }
    do {
      let old = try SystemCalls.contents(of: file, atMost: ServerOptions.fileByteLimit)
      try SystemCalls.replace(file, with: ServerOptions.rewritten(old, settings))
      reply.ok()
    } catch {
      let reason = sentence(of: error)
      logger.error("CONFIG REWRITE: \(file) was not written: \(reason)")
      reply.error("ERR Rewriting config file: \(reason)")
    }
  }
}

extension ServerOptions {
  /// The text of a configuration file, with other settings.
  static func rewritten(_ old: [UInt8], _ settings: Settings) -> [UInt8] {
    var written: Set<String> = []
    var lines: [[UInt8]] = []
    var rest = old.split(separator: 10, omittingEmptySubsequences: false).map { Array($0) }
    if rest.last?.isEmpty == true { rest.removeLast() }
    for line in rest {
      let found = try? Self.directive(line)
      guard let name = found?.name, let known = Directive.named(name) else {
        lines.append(line)
        continue
      }
      guard written.insert(name).inserted else { continue }
      lines.append(text(of: known, settings))
    }
    let defaults = Settings()
    for directive in Directive.all
    where !written.contains(directive.name)
      && directive.value(in: settings) != directive.value(in: defaults)
    {
      lines.append(text(of: directive, settings))
    }
    return lines.flatMap { $0 + [10] }
  }

  private static func text(of directive: Directive, _ settings: Settings) -> [UInt8] {
    Array("\(directive.name) ".utf8) + quoted(Array(directive.value(in: settings).utf8))
  }

  /// A value as the file has it: in quotes, where it is more than a plain word.
  private static func quoted(_ value: [UInt8]) -> [UInt8] {
    let isPlain =
      !value.isEmpty
      && value.allSatisfy { (0x21...0x7e).contains($0) && !Array("\"'\\#".utf8).contains($0) }
    guard !isPlain else { return value }
    var text = [UInt8(ascii: "\"")]
    for byte in value {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
      case 0x20...0x7e: text.append(byte)
      default:
        let digits = String(byte, radix: 16)
        text += Array("\\x\(digits.count == 1 ? "0" : "")\(digits)".utf8)
      }
    }
    return text + [UInt8(ascii: "\"")]
  }
}
