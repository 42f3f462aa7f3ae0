public import Handover
public import MemoryImages

/// What the blobs of a handover hold, and the digests of its files.
public struct RecordsOfHandover: Sendable {
  /// The handover.
  public let survey: HandoverSurvey
  /// What its blobs hold.
  public let contents: HandoverContents
  /// Digests by the address of the record of a memfd; nil where none were asked for.
  public let digests: [UInt64: String]?
  /// Whether where each stretch of a memfd is was asked for.
  public let showsPageMaps: Bool

  /// Reads the records of `survey`.
  ///
  /// - Parameters:
  ///   - memory: the memory.
  ///   - survey: the handover.
  ///   - pageMaps: whether to keep where each stretch of a memfd is.
  ///   - checksums: whether to read the files.
  ///   - progress: called with the number of bytes read so far.
  public init(
    _ survey: HandoverSurvey, in memory: MemoryImage, pageMaps: Bool, checksums: Bool,
    progress: @escaping (_ byteCount: UInt64) -> Void = { _ in }
  ) {
    var options = HandoverContents.Options()
    options.keepsPageMaps = pageMaps
    self.survey = survey
    contents = survey.contents(in: memory, options: options)
    showsPageMaps = pageMaps
    guard checksums, let pages = survey.pages else {
      digests = nil
      return
    }
    var digests: [UInt64: String] = [:]
    var digester = ContentDigests(memory, progress)
    for file in contents.files where digests[file.file.data] == nil {
      digests[file.file.data] = digester.digest(of: file, pages)
    }
    self.digests = digests
  }

  /// What is wrong with the records of a handover that could be read; of another, whose records may
  /// be overwritten, nothing.
  public var findings: RecordFindingList {
    survey.error == nil ? contents.findings : RecordFindingList()
  }
}

extension HandoverContents {
  /// The files of all sessions.
  public var files: [FileContents] {
    subtrees.flatMap { subtree -> [FileContents] in
      guard case .liveUpdate(let contents) = subtree.record else { return [] }
      return contents.sessions.flatMap(\.files)
    }
  }
}
