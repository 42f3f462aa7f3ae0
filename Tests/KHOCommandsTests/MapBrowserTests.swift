import Foundation
import HandoverTestSupport
import KexecHandover
import Testing

@testable import KHOCommands

/// A browser without a window, where there is one.
private struct Browser {
  static let path: String? = ["chromium", "chromium-browser", "google-chrome"].lazy
    .flatMap { name in
      (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map {
        "\($0)/\(name)"
      }
    }
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  /// The document after its scripts have run, and what the page complained about.
  static func load(_ page: String, in folder: TemporaryFolder, hash: String = "") throws -> (
    document: String, complaints: [Substring]
  ) {
    let output = try folder.write([], "output")
    let errors = try folder.write([], "errors")
    let process = Process()
    process.executableURL = URL(filePath: try #require(path))
    process.arguments = [
      "--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,1000",
      "--user-data-dir=\(folder.path("profile"))", "--virtual-time-budget=5000",
      "--enable-logging=stderr", "--dump-dom", "file://\(page)\(hash)",
    ]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: URL(filePath: output))
    process.standardError = try FileHandle(forWritingTo: URL(filePath: errors))
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    let log = String(decoding: try Data(contentsOf: URL(filePath: errors)), as: UTF8.self)
    return (
      String(decoding: try Data(contentsOf: URL(filePath: output)), as: UTF8.self),
      log.split(separator: "\n").filter { $0.contains(":CONSOLE") }
    )
  }
}

@Suite(
  .enabled(if: Browser.path != nil, "Chromium is not installed (Debian: chromium)"), .serialized)
struct MapBrowserTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func page(_ image: String) throws -> String {
    let path = folder.path("map.html")
    try #require(kho("map", "--html", path, image).status == 0)
    return path
  }

  /// The text of the box that describes the place below the pointer.
  private func pointedAt(_ document: String) throws -> String {
    let begin = try #require(document.range(of: "id=\"where\" aria-live=\"polite\">"))
    let end = try #require(
      document.range(of: "</div>", range: begin.upperBound..<document.endIndex))
    return String(document[begin.upperBound..<end.lowerBound])
  }

  @Test func theDataIsDrawn() throws {
    let path = try page(Fixture(name: "linux-7.3-kho-v4").path)
    let (document, complaints) = try Browser.load(path, in: folder)
    #expect(complaints == [])
    #expect(document.contains("data-state=\"ready\""))
    // A rectangle for each owner, with its name for those who cannot see it.
    let data = try MapPageJSON(html: try String(contentsOfFile: path, encoding: .utf8))
    #expect(document.components(separatedBy: "role=\"listitem\"").count == data.owners.count + 1)
    for owner in data.owners {
      #expect(document.contains("aria-label=\"\(escaped(owner.title)),"), "\(owner.title)")
    }
    #expect(document.contains("order 4, 64 KiB"))
  }

  @Test(arguments: ["", "rows,"]) func anAddressIsFound(layout: String) throws {
    let path = try page(Fixture(name: "linux-7.3-kho-v4").path)
    for (address, zoom) in [("0x5a0000", 0), ("0x5a0000", 5), ("0x515000", 5)] {
      let (document, complaints) = try Browser.load(
        path, in: folder, hash: "#\(layout)at=\(address),zoom=\(zoom)")
      #expect(complaints == [])
      let text = try pointedAt(document)
      #expect(text.contains(address == "0x515000" ? "root device tree" : "order 4"), "\(text)")
      if zoom > 0 { #expect(text.contains("\(address) – "), "\(text)") }
      if address == "0x5a0000" { #expect(text.contains("kho_test, folios"), "\(text)") }
    }
  }

  /// The pointer moves over the first square, which holds the lowest page; then a click zooms in.
  @Test func thePointerTellsWhatIsThere() throws {
    let path = try page(Fixture(name: "linux-7.3-kho-v4").path)
    var html = try String(contentsOfFile: path, encoding: .utf8)
    html += """
      <script>
      const stage = document.getElementById('stage'), box = stage.getBoundingClientRect();
      const at = (type, x, y) => stage.dispatchEvent(new PointerEvent(type, { clientX: box.left + x, clientY: box.top + y, bubbles: true }));
      at('pointermove', 2, 2);
      document.body.dataset.hover = document.getElementById('where').textContent;
      document.body.dataset.tip = document.getElementById('tip').hidden;
      const before = document.getElementById('range').textContent;
      at('click', 2, 2);
      document.body.dataset.zoomed = before !== document.getElementById('range').textContent;
      stage.dispatchEvent(new KeyboardEvent('keydown', { key: '0', bubbles: true }));
      document.body.dataset.back = before === document.getElementById('range').textContent;
      stage.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }));
      document.body.dataset.keys = document.getElementById('where').textContent;
      </script>
      """
    try Data(html.utf8).write(to: URL(filePath: path))
    let (document, complaints) = try Browser.load(path, in: folder)
    #expect(complaints == [])
    let begin = try #require(document.range(of: "<body"))
    let end = try #require(document.range(of: ">", range: begin.upperBound..<document.endIndex))
    let body = document[begin.lowerBound..<end.lowerBound]
    #expect(body.contains("data-tip=\"false\""))
    #expect(body.contains("data-hover=\"0x514000 – "))
    #expect(body.contains("root device tree") && body.contains("node of the tree"))
    #expect(body.contains("data-zoomed=\"true\"") && body.contains("data-back=\"true\""))
    #expect(body.contains("data-keys=\"0x514000 – "))
  }

  /// A name that is a script is shown, and does not run.
  @Test func hostileNamesDoNothing() throws {
    for name in MapTests.hostileNames.prefix(3) {
      let path = try page(try MapTests.image(withSession: name, in: folder))
      let (document, complaints) = try Browser.load(path, in: folder, hash: "#owner")
      #expect(complaints == [] && document.contains("data-state=\"ready\""))
      #expect(!document.contains("<img"))
    }
  }

  /// kho-v1, a memory file with many owners, and the dark side.
  @Test func otherHandovers() throws {
    for fixture in ["linux-6.18-kho-v1", "linux-7.1-kho-v3", "linux-7.3-kho-v4-chained"] {
      let path = try page(Fixture(name: fixture).path)
      let (document, complaints) = try Browser.load(path, in: folder, hash: "#dark,owner")
      #expect(complaints == [], "\(fixture)")
      #expect(document.contains("data-state=\"ready\"") && document.contains("data-theme=\"dark\""))
    }
  }
}
