import Handover
import MemoryAccess

/// Keeps the content of records, as much as the options allow.
struct ContentsKeeper: ContentsReceiver {
  private let options: HandoverContents.Options
  private(set) var contents = HandoverContents()
  /// How many more records may be kept.
  private var room: Int

  // What is inside the blob, session and file that are being read.
  private var folios: [PhysicalBlock] = []
  private var sharedData: [LiveUpdateSharedData] = []
  private var sessions: [SessionContents] = []
  private var files: [FileContents] = []
  private var runs: [MemfdRun] = []
  private var keepsSession = false
  private var keepsFile = false

  init(_ options: HandoverContents.Options) {
    self.options = options
    room = options.recordLimit
  }

  var takesMore: Bool { true }

  mutating func begin(_ test: KHOTestContents) { folios = [] }

  mutating func take(_ folio: PhysicalBlock) { if makeRoom() { folios.append(folio) } }

  mutating func begin(_ liveUpdate: LiveUpdateContents) {
    sharedData = []
    sessions = []
  }

  mutating func take(_ data: LiveUpdateSharedData) { if makeRoom() { sharedData.append(data) } }

  mutating func begin(_ session: SessionContents) {
    files = []
    keepsSession = isWanted(session.session) && makeRoom()
  }

  mutating func begin(_ file: FileContents) -> Bool {
    runs = []
    if keepsSession {
      keepsFile = isWanted(file.file) && makeRoom()
    } else {
      keepsFile = false
      if options.keptFile == nil { contents.omittedRecordCount &+= 1 }
    }
    return keepsFile
  }

  mutating func begin(_ memfd: MemfdContents) {}

  mutating func take(_ run: MemfdRun) { if keepsFile, makeRoom() { runs.append(run) } }

  mutating func end(_ file: FileContents) {
    guard keepsFile else { return }
    var file = file
    file.memfd?.runs = runs
    files.append(file)
  }

  mutating func end(_ session: SessionContents) {
    guard keepsSession else { return }
    var session = session
    session.files = files
    sessions.append(session)
  }

  mutating func end(_ blob: SubtreeContents) {
    var blob = blob
    switch blob.record {
    case .khoTest(var test):
      test.folios = folios
      blob.record = .khoTest(test)
    case .liveUpdate(var liveUpdate):
      liveUpdate.sharedData = sharedData
      liveUpdate.sessions = sessions
      blob.record = .liveUpdate(liveUpdate)
    default: break
    }
    contents.subtrees.append(blob)
  }

  /// The contents with what is wrong with the records.
  consuming func contents(with findings: RecordFindingList) -> HandoverContents {
    contents.findings = findings
    return contents
  }

  private func isWanted(_ session: LiveUpdateSession) -> Bool {
    guard case .file(let name, _) = options.keptFile else { return true }
    return session.name == name
  }

  private func isWanted(_ file: LiveUpdateFile) -> Bool {
    guard case .file(_, let token) = options.keptFile else { return true }
    return file.token == token
  }

  /// Whether one more record may be kept; counts it otherwise.
  private mutating func makeRoom() -> Bool {
    guard room > 0 else {
      contents.omittedRecordCount &+= 1
      return false
    }
    room &-= 1
    return true
  }
}
