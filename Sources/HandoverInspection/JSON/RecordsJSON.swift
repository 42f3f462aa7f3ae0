import Handover
import MemoryAccess
import MemoryImages
import PreservedPages

/// Writes the content of the registered blobs of a handover as members of a JSON object, while it is read.
///
/// Blobs of which a handover may have many, and of which each is small, are kept until ``finish()``.
struct RecordsJSON: ContentsReceiver {
  private(set) var json: JSONStream
  private let pages: PreservedPagesSurvey?
  private let writesRuns: Bool
  private var digests: ContentDigests?

  /// The members for known records that have no value yet.
  private var missing = ["memblock", "kexecMetadata", "khoTest", "luo", "ledger"]
  private var areas: [JSONValue] = []
  private var collections: [JSONValue] = []
  private var unknown: [JSONValue] = []
  /// The array of the record of the Live Update Orchestrator that is being written.
  private enum Part { case sharedData, sessions }
  private var part = Part.sharedData
  /// Whether the blob that is being read has the name of one that was written.
  private var isRepeated = false
  private var isInMemfd = false

  init(
    to json: JSONStream, _ pages: PreservedPagesSurvey?, writesRuns: Bool, digests: ContentDigests?
  ) {
    self.json = json
    self.pages = pages
    self.writesRuns = writesRuns
    self.digests = digests
  }

  var takesMore: Bool { json.takesMore }

  /// Takes `name` from the missing members; false if it was written before.
  private mutating func claim(_ name: String) -> Bool {
    guard let index = missing.firstIndex(of: name) else { return false }
    missing.remove(at: index)
    return true
  }

  // MARK: The self-test

  mutating func begin(_ test: KHOTestContents) {
    isRepeated = !claim("khoTest")
    guard !isRepeated else { return }
    json.beginObject("khoTest")
    json.add("folioCount", test.record.folioCount)
    json.add("checksum", test.record.checksum)
    json.beginArray("folios")
  }

  mutating func take(_ folio: PhysicalBlock) {
    guard !isRepeated else { return }
    json.addLine(JSONValue(["address": folio.address, "order": folio.order]))
  }

  // MARK: Live Update Orchestrator

  mutating func begin(_ liveUpdate: LiveUpdateContents) {
    isRepeated = !claim("luo")
    guard !isRepeated else { return }
    json.beginObject("luo")
    json.add("compatible", liveUpdate.record.format == .structure ? "luo-v5" : "luo-v1")
    json.add("updateNumber", liveUpdate.record.number)
    json.add("sessionsAddress", liveUpdate.record.sessions)
    json.add("sharedDataAddress", liveUpdate.record.sharedData)
    json.beginArray("sharedData")
    part = .sharedData
  }

  mutating func take(_ data: LiveUpdateSharedData) {
    guard !isRepeated else { return }
    json.addLine(JSONValue(["name": data.name, "data": data.data, "fileCount": data.count]))
  }

  private mutating func beginSessions() {
    guard part == .sharedData else { return }
    part = .sessions
    json.endArray()
    json.beginArray("sessions")
  }

  mutating func begin(_ session: SessionContents) {
    guard !isRepeated else { return }
    beginSessions()
    json.beginObject()
    json.add("name", session.session.name)
    json.add("fileCount", session.session.fileCount)
    json.beginArray("files")
  }

  mutating func begin(_ file: FileContents) -> Bool {
    guard !isRepeated else { return false }
    json.beginObject()
    json.add("handler", file.file.handler)
    json.add("token", file.file.token)
    json.add("data", file.file.data)
    isInMemfd = false
    return true
  }

  mutating func begin(_ memfd: MemfdContents) {
    isInMemfd = true
    addFields(of: memfd.record)
    if writesRuns { json.beginArray("pageMap") }
  }

  private mutating func addFields(of record: MemfdRecord?) {
    json.add("position", record?.position)
    json.add("bytes", record?.byteSize)
    json.add("seals", record?.seals)
    json.add("flags", record?.flags)
    json.add("folioCount", record?.folioCount)
  }

  mutating func take(_ run: MemfdRun) { if !isRepeated { json.addLine(run.json) } }

  mutating func end(_ file: FileContents) {
    guard !isRepeated else { return }
    if isInMemfd, writesRuns {
      json.endArray()
    } else {
      if !isInMemfd { addFields(of: nil) }
      json.add("pageMap", JSONValue.null)
    }
    json.add("holeCount", file.memfd?.holeCount)
    json.add("dirtyFolioCount", file.memfd?.dirtyCount)
    json.add("staleFolioCount", file.memfd?.staleCount)
    json.add("folioBytes", file.memfd?.folioByteCount)
    json.add("area", file.memfd.map { JSONValue.object($0.area.members) })
    json.add("sha256", pages.flatMap { digests?.digest(of: file, $0) })
    json.add("error", file.error?.sentence)
    json.endObject()
  }

  mutating func end(_ session: SessionContents) {
    guard !isRepeated else { return }
    json.endArray()
    json.add("blockCount", session.blockCount)
    json.add("error", session.error?.sentence)
    json.endObject()
  }

  // MARK: Blobs

  mutating func end(_ blob: SubtreeContents) {
    let error = blob.error?.sentence
    let wasRepeated = isRepeated
    isRepeated = false
    switch blob.record {
    case .khoTest(let test) where !wasRepeated:
      json.endArray()
      json.add("area", JSONValue.object(test.area.members))
      json.add("error", error)
      json.endObject()
    case .liveUpdate(let liveUpdate) where !wasRepeated:
      beginSessions()
      json.endArray()
      json.add("blockCount", liveUpdate.blockCount)
      json.add("error", error)
      json.endObject()
    case .memblock(let regions) where claim("memblock"):
      json.add("memblock", JSONValue(["regions": regions.map(\.json), "error": error]))
    case .kexecMetadata(let metadata) where claim("kexecMetadata"):
      json.add("kexecMetadata", metadata.json)
    case .ledger(let ledger) where claim("ledger"): json.add("ledger", ledger.json)
    case .area(let area): areas.append(area.json(of: blob))
    case .collection(let collection): collections.append(collection.json(of: blob))
    default: unknown.append(blob.json)
    }
  }

  /// Writes the members that are complete only when all blobs were read.
  mutating func finish() {
    for name in missing { json.add(name, JSONValue.null) }
    json.add("areas", areas)
    json.add("collections", collections)
    json.add("unknownBlobs", unknown)
    json.add("omittedRecordCount", 0)
  }
}
