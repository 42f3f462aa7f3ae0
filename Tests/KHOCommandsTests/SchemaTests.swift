import Foundation
import HandoverTestSupport
import KexecHandover
import PersistentCollections
import SystemPackage
import Testing

/// The members of each schema: those that the tool prints are those that the articles have, and all are named
/// by the same rules.
@Suite struct SchemaTests {
  /// The names of each schema in the articles: those in blocks of code before a colon, and those in the text.
  private static let documented: [String: Set<String>] = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Sources/KexecHandover/KexecHandover.docc")
    var names: [String: Set<String>] = [:]
    for article in ["JSONOutput.md", "JSONPlanCompatDiffMap.md"] {
      guard let text = try? String(contentsOf: root.appending(path: article), encoding: .utf8)
      else { continue }
      for section in text.split(separator: "### ").dropFirst() {
        guard let schema = section.split(separator: "\n").first else { continue }
        let quoted = section.matches(of: #/"([a-zA-Z][a-zA-Z0-9]*)":/#).map { String($0.1) }
        let mentioned = section.matches(of: #/`([a-z][a-zA-Z]+)`/#).map { String($0.1) }
        names[String(schema)] = Set(quoted + mentioned)
      }
    }
    return names
  }()

  /// Members whose names are data: orders, formats, and the fields of records.
  private static let dynamic: [String: Set<String>] = [
    "kho-compat-list/1": ["kho"], "kho-diff/2": ["format", "number"],
  ]

  private func names(in value: Any, below parent: String = "") -> Set<String> {
    if let members = value as? [String: Any] {
      let isData =
        parent.hasSuffix("ByOrder") || parent == "formats" || (parent == "record")
      var result: Set<String> = []
      for (name, value) in members {
        if !isData { result.insert(name) }
        let isRecord = (name == "a" || name == "b") && members["title"] != nil
        result.formUnion(names(in: value, below: isRecord ? "record" : name))
      }
      return result
    }
    if let values = value as? [Any] {
      // The formats of a comparison are a list of rows, those of a release are named by themselves.
      return values.reduce(into: []) { $0.formUnion(names(in: $1)) }
    }
    return []
  }

  private static let v1 = Fixture(name: "linux-6.18-kho-v1").path
  private static let v4 = Fixture(name: "linux-7.3-kho-v4").path

  /// The documents that the tool prints, by schema.
  private func documents() throws -> [String: [Any]] {
    let folder = try TemporaryFolder()
    let memory = folder.path("memory")
    var preserved = try PreservedMemory(
      creating: .path(FilePath(memory)), byteCount: 4 << 20, geometry: .pages4KiB)
    _ = try preserved.makeArea(named: "area", blockCount: 4, order: .zero)
    let store = try PersistentStore(preserved)
    try store.counter("counter").add()
    _ = store.close()
    let description = try folder.write(Array(#"{"liveUpdate": 1, "sessions": []}"#.utf8), "source")
    let calibration = folder.path("calibration")
    var documents: [String: [Any]] = [:]
    func add(_ bytes: [UInt8]) throws {
      let value = try #require(
        try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
      documents[try #require(value["schema"] as? String), default: []].append(value)
    }
    for arguments in [
      ["inspect", "--records", "--checksums", Self.v4], ["inspect", Self.v1], ["inspect", memory],
      ["owners", Self.v4], ["pages", Self.v4], ["pages", "--format", "ranges", Self.v4],
      ["check", Self.v4], ["report", "-o", folder.path("report"), Self.v4],
      ["capture", "-o", folder.path("small"), Self.v4],
      ["map", Self.v4], ["compat", "7.1", "7.3"], ["compat", "--list"],
      ["diff", Self.v1, Self.v4], ["store", memory],
      [
        "plan", "--memory", "64G", "--blocks", "0:1000,9:5", "--kho-scratch", "256M,1G,512M",
        "--boot-memory", "300M,4G", "--calibrate", "--calibration", calibration,
      ],
      ["forge", "-o", folder.path("forged"), description],
    ] {
      let run = CommandRun(arguments + ["--json"])
      try #require(!run.output.isEmpty, "\(arguments): \(run.errors)")
      try add(run.output)
    }
    try add([UInt8](try Data(contentsOf: URL(filePath: calibration))))
    try add(Array(kho("inspect", "--json", folder.path("none")).errors.utf8))
    try add(
      Array(try builtKHO("demo", "--memory", "16M", "--generations", "2", "--json").output))
    return documents
  }

  @Test func articlesHaveWhatIsPrinted() throws {
    let documents = try documents()
    // The torture of the tests' own tool has its own test.
    #expect(Set(documents.keys) == Set(Self.documented.keys).subtracting(["kho-torture/2"]))
    for (schema, values) in documents {
      let printed = values.reduce(into: Set<String>()) { $0.formUnion(names(in: $1)) }
      let documented = Self.documented[schema] ?? []
      #expect(
        printed.subtracting(documented).isEmpty,
        "\(schema): not in the article: \(printed.subtracting(documented))")
      // Members of lists that were empty here.
      let unseen: [String: Set<String>] = [
        "kho-inspect/2": [
          "sharedData", "data", "fileCount", "name", "level", "head", "kind", "machineFdtAddress",
        ],
        "kho-owners/2": ["address", "otherOwner", "owner", "presumed", "further"],
        "kho-check/2": ["code", "severity", "address", "level", "message"],
        "kho-store/1": [
          "name", "kind", "entryCount", "value", "payloadBytes", "memoryBytes", "findings",
        ],
      ]
      let missing = documented.subtracting(printed).subtracting(unseen[schema] ?? [])
        .subtracting(Self.dynamic[schema] ?? []).filter { !["sha256", "null"].contains($0) }
      #expect(missing.isEmpty, "\(schema): the article has what is not printed: \(missing)")
    }
  }

  /// One naming in all schemas.
  @Test func namesFollowTheRules() throws {
    for (schema, names) in Self.documented {
      for name in names {
        #expect(name.wholeMatch(of: #/[a-z][a-zA-Z0-9]*/#) != nil, "\(schema): \(name)")
        let isForeign = Self.dynamic[schema]?.contains(name) ?? false
        let unwanted = [
          "byteCount", "size", "start", "length", "pa", "blocks", "pages", "nodes", "chunks",
          "entries_", "failure", "file", "image", "same", "dirty", "upToDate", "preserved",
        ]
        #expect(isForeign || !unwanted.contains(name), "\(schema): \(name)")
        #expect(!name.hasSuffix("ByteCount") && !name.hasSuffix("Size"), "\(schema): \(name)")
      }
    }
  }

  /// Where a command has no JSON, it does not offer any.
  @Test func jsonIsOfferedOnlyWhereItIs() {
    #expect(!kho("extract", "--help").text.contains("--json"))
    let run = kho("extract", "--subtree", "LUO", "--json", Self.v4)
    #expect(run.status == 2 && run.errorJSON?.error?.contains("--json") == true, "\(run.errors)")
  }
}
