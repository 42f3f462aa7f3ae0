import Foundation
import Testing

/// What each target imports, from the bottom to the top: the same as the picture in the README.
///
/// A target imports only what is named beside it, and only targets above it in this list. So none
/// imports upward.
private let layers: [(target: String, imports: Set<String>)] = [
  // The core: the standard library only, and compiled as Embedded Swift.
  ("MemoryAccess", []),
  ("DeviceTreeBlob", []),
  ("PreservedPages", ["MemoryAccess"]),
  ("PageAllocation", ["MemoryAccess"]),
  ("Handover", ["MemoryAccess", "DeviceTreeBlob", "PreservedPages", "PageAllocation"]),
  // On an operating system.
  ("CPlatform", []),
  ("Platform", ["CPlatform"]),
  ("Decompression", ["MemoryAccess"]),
  ("MemoryImages", ["MemoryAccess", "Platform", "Decompression"]),
  (
    "ProcessHandover",
    [
      "MemoryAccess", "PreservedPages", "PageAllocation", "Handover", "MemoryImages", "Platform",
    ]
  ),
  ("PersistentCollections", ["MemoryAccess", "Handover", "Platform", "ProcessHandover"]),
  (
    "HandoverInspection",
    [
      "MemoryAccess", "DeviceTreeBlob", "PreservedPages", "PageAllocation", "Handover",
      "MemoryImages", "Platform", "ProcessHandover", "PersistentCollections",
    ]
  ),
  (
    "HandoverForge",
    [
      "MemoryAccess", "DeviceTreeBlob", "PreservedPages", "PageAllocation", "Handover",
      "MemoryImages", "HandoverInspection", "Platform",
    ]
  ),
  (
    "KexecHandover",
    [
      "MemoryAccess", "DeviceTreeBlob", "PreservedPages", "PageAllocation", "Handover",
      "Decompression", "MemoryImages", "ProcessHandover", "HandoverInspection", "HandoverForge",
    ]
  ),
  ("HandoverDemo", ["KexecHandover", "Platform"]),
  ("KHOCommands", ["HandoverDemo", "KexecHandover", "PersistentCollections", "Platform"]),
  ("kho", ["KHOCommands", "Platform"]),
  // Not a part of the package: what shows that the core compiles for a bare machine.
  (
    "EmbeddedProbe",
    ["MemoryAccess", "DeviceTreeBlob", "PreservedPages", "PageAllocation", "Handover"]
  ),
]

/// What targets may import beside each other.
private let foreign: [String: Set<String>] = [
  "core": ["Synchronization", "Swift"],
  "hosted": ["Synchronization", "SystemPackage", "Swift"],
  "KHOCommands": ["ArgumentParser", "SystemPackage", "Synchronization"],
]

private let core: Set<String> = [
  "MemoryAccess", "DeviceTreeBlob", "PreservedPages", "PageAllocation", "Handover", "EmbeddedProbe",
]

/// No target imports upward, and none imports what this file does not say.
@Suite struct LayeringTests {
  private let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  private var sources: URL { root.appending(path: "Sources") }

  /// The modules that the Swift files below `folder` import, with the file of each.
  private func imports(below folder: URL) throws -> [(module: String, file: String)] {
    let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    var found: [(module: String, file: String)] = []
    for path in paths where path.hasSuffix(".swift") {
      let text = try String(contentsOf: folder.appending(path: path), encoding: .utf8)
      for line in text.split(separator: "\n") {
        let words = line.split(separator: " ")
        // The modifiers of an import: @_exported, @testable, public, package, internal, private.
        guard let place = words.firstIndex(of: "import"), place + 1 < words.count,
          words[..<place].allSatisfy({
            $0.hasPrefix("@")
              || ["public", "package", "internal", "private", "fileprivate"].contains(String($0))
          })
        else { continue }
        found.append((String(words[place + 1]), "\(folder.lastPathComponent)/\(path)"))
      }
    }
    return found
  }

  @Test func layersPointDownward() {
    var below: Set<String> = []
    for (target, imports) in layers {
      #expect(imports.isSubset(of: below), "\(target) imports \(imports.subtracting(below))")
      below.insert(target)
    }
  }

  @Test func everyTargetIsListed() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: sources.path)
    #expect(Set(folders) == Set(layers.map(\.target)))
  }

  /// The imports are those of the list: none more, and none that is not needed any more.
  @Test(arguments: layers.map(\.target)) func importsAreThoseListed(target: String) throws {
    let allowed = try #require(layers.first { $0.target == target }).imports
    let targets = Set(layers.map(\.target))
    let other =
      foreign[target] ?? foreign[core.contains(target) ? "core" : "hosted"] ?? []
    var used: Set<String> = []
    for (module, file) in try imports(below: sources.appending(path: target)) {
      // The C library is imported in one file.
      if module == "Glibc" {
        #expect(file == "Platform/LibC.swift", "\(file) imports the C library")
      } else if targets.contains(module) {
        #expect(allowed.contains(module), "\(file) imports \(module)")
        used.insert(module)
      } else {
        #expect(other.contains(module), "\(file) imports \(module)")
      }
    }
    guard target != "CPlatform" else { return }
    #expect(used == allowed, "\(target) does not import \(allowed.subtracting(used))")
  }

  /// What `kho` answers is in the library. The commands are what is left.
  @Test func commandsStaySmall() throws {
    let folder = sources.appending(path: "KHOCommands")
    var lineCount = 0
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    where path.hasSuffix(".swift") {
      lineCount += try Data(contentsOf: folder.appending(path: path)).count { $0 == 0x0a }
    }
    #expect(lineCount < 5000)
  }

  /// The README describes every target.
  @Test func readmeNamesEveryTarget() throws {
    let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
    for (target, _) in layers where !["CPlatform", "EmbeddedProbe"].contains(target) {
      #expect(readme.contains("`\(target)`"), "the README does not name \(target)")
    }
  }
}
