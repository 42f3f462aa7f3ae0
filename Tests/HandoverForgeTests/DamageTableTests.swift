import Foundation
import KexecHandover
import Testing

/// The tables of the documentation contain each code of `kho check`, and each damage that can be forged.
@Suite struct DamageTableTests {
  private static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private func text(_ path: String) throws -> String {
    try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
  }

  private func article(_ name: String) throws -> String {
    try text("Sources/KexecHandover/KexecHandover.docc/\(name).md")
  }

  /// What is between backquotes and looks like a code.
  private func codes(in text: some StringProtocol) -> [String] {
    text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
      .filter { !$0.offset.isMultiple(of: 2) }.map { String($0.element) }
      .filter { $0.wholeMatch(of: /[a-z0-9]+(-[a-z0-9]+)*/) != nil }
  }

  /// The codes in the first column of tables.
  private func codesOfRows(in article: String) -> [String] {
    article.split(separator: "\n").filter { $0.hasPrefix("| `") }
      .flatMap { codes(in: $0.split(separator: "|")[0]) }
  }

  /// The codes that the sources give to findings.
  private func codesOfSources() throws -> Set<String> {
    var codes: Set<String> = []
    for path in [
      "PreservedPages/PreservedPagesFinding+Description", "Handover/HandoverFinding+Description",
      "Handover/Records/RecordFinding+Description",
    ] {
      let source = try text("Sources/\(path).swift")
      let start = try #require(source.range(of: "var code: String {")).upperBound
      let end = try #require(source[start...].range(of: "\n    }\n")).lowerBound
      let found = source[start..<end].matches(of: /"([a-z0-9-]+)"/).map { String($0.1) }
      #expect(!found.isEmpty, "\(path)")
      codes.formUnion(found)
    }
    return codes
  }

  @Test func findings() throws {
    let listed = codesOfRows(in: try article("Findings"))
    #expect(Set(listed) == (try codesOfSources()))
    #expect(listed.count == Set(listed).count)
  }

  @Test func damages() throws {
    let article = try article("DamagedHandovers")
    let rows = codesOfRows(in: article)
    #expect(rows.count == Set(rows).count)
    #expect(Set(rows) == Set(ForgeDamage.allCases.map(\.rawValue)))
    // The rest, with the reason.
    let rest = try #require(article.range(of: "Not forged:")).upperBound
    let named = Set(codes(in: article[rest...]))
    #expect(named == (try codesOfSources()).subtracting(rows))
  }
}
