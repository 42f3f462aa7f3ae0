import Foundation
import Testing

/// Each public error describes itself, so a program that does not catch it prints what happened.
@Suite struct ErrorDescriptionTests {
  @Test func everyPublicErrorIsDescribed() throws {
    let text = try Repository.swiftFiles(in: "Sources")
      .map { try String(contentsOf: $0, encoding: .utf8) }.joined(separator: "\n")
    let described = Set(
      text.matches(of: #/(?:extension|enum|struct) ([\w.]+)[^{\n]*\bCustomStringConvertible\b/#)
        .map { $0.1.split(separator: ".").last ?? "" })
    let errors = text.matches(of: #/public (?:enum|struct) (\w+)(?:<[^>]*>)?: [^{\n]*\bError\b/#)
      .map(\.1)
    #expect(errors.count >= 40)
    for error in errors {
      #expect(described.contains(error), "\(error) is not CustomStringConvertible")
    }
  }
}
