import Foundation
import HandoverTestSupport
import Testing

@Suite struct BadInputTests {
  private static let fixture = Fixture(name: "linux-7.3-kho-v4")

  /// Exit status 3, nothing on standard output, and one sentence that names the file.
  private func expectSentence(
    _ arguments: [String], naming path: String, containing part: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    for command in ["inspect", "pages", "check"] {
      for options in [[], ["--json"]] {
        let run = CommandRun([command] + options + arguments)
        #expect(run.status == 3, sourceLocation: sourceLocation)
        #expect(run.output == [], sourceLocation: sourceLocation)
        let text =
          options.isEmpty ? run.errors : (run.errorJSON?.error).map { "kho: \($0)\n" } ?? ""
        #expect(text.hasPrefix("kho: \(path): "), sourceLocation: sourceLocation)
        #expect(text.contains(part), "\(run.errors)", sourceLocation: sourceLocation)
        // As the tool's other sentences: it goes on after a colon, and has no full stop.
        let sentence = text.dropFirst("kho: \(path): ".count)
        #expect(sentence.first?.isUppercase != true, "\(sentence)", sourceLocation: sourceLocation)
        #expect(sentence.hasSuffix("\n") && !sentence.hasSuffix(".\n"), "\(sentence)")
        #expect(sentence.count { $0 == "\n" } == 1, sourceLocation: sourceLocation)
      }
    }
  }

  @Test func filesThatAreNoImages() throws {
    let folder = try TemporaryFolder()
    let image = try [UInt8](Data(contentsOf: URL(filePath: Self.fixture.path)))

    expectSentence(
      [folder.path("missing")], naming: folder.path("missing"), containing: "cannot be opened")
    expectSentence([folder.url.path], naming: folder.url.path, containing: "directory")
    expectSentence(["/dev/null"], naming: "/dev/null", containing: "device")
    let empty = try folder.write([], "empty")
    expectSentence([empty], naming: empty, containing: "empty")

    let raw = try folder.write([UInt8](repeating: 0, count: 8192), "raw")
    expectSentence([raw], naming: raw, containing: "--base")
    expectSentence([raw, "--base", "0"], naming: raw, containing: "--fdt-address")
    expectSentence([raw, "--base", "0xfffffffffffff000"], naming: raw, containing: "--base")
    expectSentence(
      [Self.fixture.path, "--base", "0"], naming: Self.fixture.path, containing: "--base")

    for count in [4, 40, 64, 100] {
      let path = try folder.write(Array(image[..<count]), "truncated-\(count)")
      expectSentence([path], naming: path, containing: "copy")
    }
    // With its headers, a dump is read as far as it goes.
    let headers = try folder.write(Array(image[..<4096]), "truncated-4096")
    let nothing = kho("inspect", headers)
    #expect(nothing.status == 3 && nothing.output == [])
    #expect(nothing.errors.contains("in the part that is there"))
    let truncated = try folder.write(Array(image.dropLast()), "truncated-1")
    let most = kho("inspect", truncated)
    #expect(most.status == 3 && most.output != [])
    #expect(most.errors.contains("incomplete"))
    let checked = kho("check", truncated)
    #expect(checked.status == 3)
    #expect(checked.text.contains(": nothing found in the part of the image that can be read\n"))
    #expect(kho("check", Self.fixture.path).text.contains(": nothing found\n"))
    let dump = try folder.write(Array("KDUMP   ".utf8) + [UInt8](repeating: 0, count: 4096), "dump")
    expectSentence([dump], naming: dump, containing: "blocks of 0 bytes")
  }

  @Test func filesThatAreNoDeviceTrees() throws {
    let folder = try TemporaryFolder()
    let missing = folder.path("missing")
    expectSentence(
      ["--fdt", missing, Self.fixture.path], naming: missing, containing: "cannot be opened")
    expectSentence(
      ["--fdt", folder.url.path, Self.fixture.path], naming: folder.url.path, containing: "read")
    let large = try folder.write([UInt8](repeating: 0, count: 2 << 20 | 1), "large")
    expectSentence(["--fdt", large, Self.fixture.path], naming: large, containing: "larger")

    // A file that can be read and is not a device tree is a handover that is broken.
    let text = try folder.write(Array("not a tree\n".utf8), "text")
    let run = kho("check", "--json", "--fdt", text, Self.fixture.path)
    #expect(run.status == 1)
    #expect(try run.json(CheckJSON.self).codes == ["fdt-malformed"])
  }
}
