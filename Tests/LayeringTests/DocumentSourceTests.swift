import Foundation
import Testing

/// Each block of Swift in a document is a part of a source file that the build compiles.
///
/// Only indentation, empty lines and imports may differ.
@Suite struct DocumentSourceTests {
  private static let documents: [String] = {
    let articles = "Sources/KexecHandover/KexecHandover.docc"
    let names =
      (try? FileManager.default.contentsOfDirectory(
        atPath: Repository.root.appending(path: articles).path())) ?? []
    return ["README.md", "CacheServer/README.md", "Lab/README.md", "Examples/TinyKernel/README.md"]
      + names.filter { $0.hasSuffix(".md") }.sorted().map { "\(articles)/\($0)" }
  }()

  /// The folders with code that the documents show.
  private static let sources = [
    "Examples/Dependent", "Examples/Sources", "CacheServer/Sources", "Sources/EmbeddedProbe",
    "Lab/Tests", "Examples/TinyKernel/Sources",
  ]

  @Test func everyBlockIsCompiled() throws {
    let files = try Self.sources.flatMap { try Repository.swiftFiles(in: $0) }
      .map { try Self.lines(String(contentsOf: $0, encoding: .utf8)) }
    var count = 0
    for name in Self.documents {
      let text = try String(
        contentsOf: Repository.root.appending(path: name), encoding: .utf8)
      for block in text.matches(of: #/(?ms)^```swift\n(.*?)^```/#) {
        let lines = Self.lines(String(block.1))
        count += 1
        #expect(
          files.contains { Self.contains($0, lines) },
          "\(name): no source file contains the block that begins with \(lines.first ?? "")")
      }
    }
    #expect(count >= 10)
  }

  /// Each link to a file of the repository has a target, and so does each picture.
  @Test func linksResolve() throws {
    for name in Self.documents where !name.contains(".docc/") {
      let file = Repository.root.appending(path: name)
      let text = try String(contentsOf: file, encoding: .utf8)
      for link in text.matches(of: #/\]\(([^)#]+)(?:#[^)]*)?\)/#) {
        let target = String(link.1)
        guard !target.contains("://") else { continue }
        let path = file.deletingLastPathComponent().appending(path: target).path()
        #expect(FileManager.default.fileExists(atPath: path), "\(name) links to \(target)")
      }
    }
  }

  private static func lines(_ text: String) -> [Substring] {
    text.split(separator: "\n").compactMap { line in
      let trimmed = line.drop { $0 == " " }
      return trimmed.isEmpty || trimmed.contains(#/^(public |internal )?import /#) ? nil : trimmed
    }
  }

  private static func contains(_ file: [Substring], _ block: [Substring]) -> Bool {
    guard !block.isEmpty, file.count >= block.count else { return false }
    return (0...file.count - block.count).contains { file[$0...].starts(with: block) }
  }
}
