import Handover
public import HandoverInspection
import MemoryAccess
public import SystemPackage

extension ForgeDescription {
  /// The handover that a JSON document describes; `kho forge --help` shows its members.
  ///
  /// - Parameters:
  ///   - document: the document.
  ///   - folder: where the files are that the document names.
  /// - Throws: ``ForgeDescriptionError``: which member is wrong, and how.
  public init(
    _ document: JSONValue, relativeTo folder: FilePath
  ) throws(ForgeDescriptionError) {
    self.init()
    let root = try JSONMembers(
      document, "",
      known: [
        "machine", "pageSize", "memory", "memoryStart", "placement", "scratch", "metadata",
        "liveUpdate", "sessions", "reserveMem", "blobs", "test",
      ])
    switch try root.string("machine") {
    case nil, "x86_64"?: break
    case "arm64"?: machine = .arm64
    default: throw root.failure("machine", "is \"x86_64\" or \"arm64\"")
    }
    switch try root.string("pageSize")?.uppercased() {
    case nil, "4K"?: break
    case "16K"?: geometry = .pages16KiB
    case "64K"?: geometry = .pages64KiB
    default: throw root.failure("pageSize", "is \"4K\", \"16K\" or \"64K\"")
    }
    memoryByteCount = try root.number("memory")
    memoryStart = try root.number("memoryStart").map { PhysicalAddress($0) }
    placement = try root.list("placement", known: ["start", "size"], Self.range) ?? []
    scratchAreas = try root.list("scratch", known: ["start", "size"], Self.range) ?? []
    metadata = try root.members("metadata", known: ["release", "count"]).map(Self.metadata)
    if let number = try root.number("liveUpdate") {
      liveUpdateNumber = number
      sessions = []
    }
    let described = try root.list("sessions", known: ["name", "files"]) {
      (session) throws(ForgeDescriptionError) in
      Session(
        name: try session.needed("name", session.string("name")),
        files: try session.list(
          "files", known: ["token", "file", "text", "position", "seals", "folioOrder"]
        ) { (file) throws(ForgeDescriptionError) in try Self.file(file, folder) } ?? [])
    }
    if let described { sessions = described }
    regions =
      try root.list("reserveMem", known: ["name", "size", "file", "text"]) {
        (region) throws(ForgeDescriptionError) in
        Region(
          name: try region.needed("name", region.string("name")),
          byteCount: try region.needed("size", region.number("size")),
          contents: try Self.contents(region, folder))
      } ?? []
    blobs =
      try root.list("blobs", known: ["name", "file", "text"]) {
        (blob) throws(ForgeDescriptionError) in
        Blob(
          name: try blob.needed("name", blob.string("name")),
          contents: try Self.contents(blob, folder))
      } ?? []
    test = try root.members("test", known: ["orders", "seed", "wrongSum"]).map(Self.test)
  }

  private static func range(_ range: JSONMembers) throws(ForgeDescriptionError) -> PhysicalRange {
    let start = try range.needed("start", range.number("start"))
    let byteCount = try range.needed("size", range.number("size"))
    guard let range = PhysicalRange(checkedStart: PhysicalAddress(start), byteCount: byteCount)
    else { throw range.failure("size", "reaches beyond the last address") }
    return range
  }

  private static func metadata(
    _ metadata: JSONMembers
  ) throws(ForgeDescriptionError) -> KexecMetadata {
    let release = try metadata.needed("release", metadata.string("release"))
    let limit = KexecMetadata.largestReleaseByteCount
    guard (1...limit).contains(release.utf8.count), !release.utf8.contains(0) else {
      throw metadata.failure("release", "has 1 to \(limit) bytes, none of them 0")
    }
    let count = try metadata.number("count", atMost: UInt64(UInt32.max)) ?? 0
    return KexecMetadata(previousRelease: release, kexecCount: UInt32(count))
  }

  private static func file(
    _ file: JSONMembers, _ folder: FilePath
  ) throws(ForgeDescriptionError) -> File {
    var result = File(
      token: try file.needed("token", file.number("token")),
      contents: try contents(file, folder))
    result.position = try file.number("position") ?? 0
    result.seals = UInt32(try file.number("seals", atMost: UInt64(UInt32.max)) ?? 0)
    result.folioOrder = PageOrder(Int(try file.number("folioOrder", atMost: largestOrder) ?? 0))
    return result
  }

  private static func test(_ test: JSONMembers) throws(ForgeDescriptionError) -> Test {
    let orders = try test.needed("orders", test.numbers("orders", atMost: largestOrder))
    var result = Test(orders: orders.map { PageOrder(Int($0)) })
    result.seed = try test.number("seed") ?? 1
    result.isSumWrong = try test.bool("wrongSum") ?? false
    return result
  }

  /// The order of Linux's largest block.
  private static var largestOrder: UInt64 { 10 }

  private static func contents(
    _ members: JSONMembers, _ folder: FilePath
  ) throws(ForgeDescriptionError) -> ForgeContents {
    let text = try members.string("text")
    guard let file = try members.string("file") else { return .bytes(Array((text ?? "").utf8)) }
    guard text == nil else { throw members.failure("text", "and \"file\" exclude each other") }
    do throws(ForgeError) {
      return try ForgeContents(file: folder.pushing(FilePath(file)))
    } catch {
      throw ForgeDescriptionError(error.description)
    }
  }
}

/// Why a description of a handover cannot be used.
public struct ForgeDescriptionError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong with which member or file, without a full stop.
  public let description: String

  init(_ description: String) { self.description = description }
}

/// The members of an object of JSON, with the path at which the object is in its document.
struct JSONMembers {
  private let value: JSONValue
  private let path: String

  init(
    _ value: JSONValue, _ path: String, known: [String]
  ) throws(ForgeDescriptionError) {
    guard case .object(let members) = value else {
      throw ForgeDescriptionError(
        "\(path.isEmpty ? "the description" : "\"\(path)\"") is not an object")
    }
    self.value = value
    self.path = path
    for member in members where !known.contains(member.name) {
      let names = known.map { "\"\($0)\"" }.joined(separator: ", ")
      throw failure(member.name, "is not known; what can be said here is \(names)")
    }
  }

  private func place(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  func failure(_ name: String, _ sentence: String) -> ForgeDescriptionError {
    ForgeDescriptionError("\"\(printable(place(name)))\" \(sentence)")
  }

  func needed<Value>(
    _ name: String, _ value: Value?
  ) throws(ForgeDescriptionError) -> Value {
    if let value { return value }
    throw failure(name, "is missing")
  }

  /// The member; nil if the object does not contain it, or it is null.
  private func member(_ name: String) -> JSONValue? { value[name] == .null ? nil : value[name] }

  func string(_ name: String) throws(ForgeDescriptionError) -> String? {
    switch member(name) {
    case nil: return nil
    case .string(let text)?: return text
    default: throw failure(name, "is not a string")
    }
  }

  func bool(_ name: String) throws(ForgeDescriptionError) -> Bool? {
    switch member(name) {
    case nil: return nil
    case .bool(let value)?: return value
    default: throw failure(name, "is not true or false")
    }
  }

  func number(
    _ name: String, atMost limit: UInt64 = .max
  ) throws(ForgeDescriptionError) -> UInt64? {
    try member(name).map { (value) throws(ForgeDescriptionError) in
      try number(value, name, limit)
    }
  }

  func numbers(_ name: String, atMost limit: UInt64) throws(ForgeDescriptionError) -> [UInt64]? {
    guard let value = member(name) else { return nil }
    guard case .array(let values) = value else { throw failure(name, "is not a list") }
    var numbers: [UInt64] = []
    for (index, value) in values.enumerated() {
      numbers.append(try number(value, "\(name)[\(index)]", limit))
    }
    return numbers
  }

  /// A number, or text as on the command line.
  private func number(
    _ value: JSONValue, _ name: String, _ limit: UInt64
  ) throws(ForgeDescriptionError) -> UInt64 {
    var found: UInt64?
    if case .number(let number) = value { found = number }
    if case .string(let text) = value { found = try? NumberText.parse(text) }
    guard let found else {
      throw failure(name, "is not a number or a size such as \"0x1000\" or \"2M\"")
    }
    guard found <= limit else { throw failure(name, "is more than \(limit)") }
    return found
  }

  func members(_ name: String, known: [String]) throws(ForgeDescriptionError) -> JSONMembers? {
    try member(name).map { (value) throws(ForgeDescriptionError) in
      try JSONMembers(value, place(name), known: known)
    }
  }

  func list<Element>(
    _ name: String, known: [String],
    _ read: (JSONMembers) throws(ForgeDescriptionError) -> Element
  ) throws(ForgeDescriptionError) -> [Element]? {
    guard let value = member(name) else { return nil }
    guard case .array(let values) = value else { throw failure(name, "is not a list") }
    var elements: [Element] = []
    for (index, value) in values.enumerated() {
      elements.append(
        try read(JSONMembers(value, "\(place(name))[\(index)]", known: known)))
    }
    return elements
  }
}
