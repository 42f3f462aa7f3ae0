internal import KexecHandover

/// What the blobs of a handover hold, and the digests of its files.
struct RecordsOfHandover {
  let survey: HandoverSurvey
  let contents: HandoverContents
  /// Digests by the address of the record of a memfd; nil where none were asked for.
  let digests: [UInt64: String]?
  let showsPageMaps: Bool

  /// Reads the records of `survey`.
  ///
  /// - Parameters:
  ///   - pageMaps: whether to keep where each stretch of a memfd lies.
  ///   - checksums: whether to read the files.
  init(_ survey: HandoverSurvey, in memory: MemoryImage, pageMaps: Bool, checksums: Bool) {
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
    var digester = ContentDigests(memory)
    for file in contents.files where digests[file.file.data] == nil {
      guard let memfd = file.memfd, file.error == nil else { continue }
      digests[file.file.data] = digester.digest(of: memfd.record, pages)
    }
    digester.end()
    self.digests = digests
  }

  /// What is wrong with the records of a handover that could be read; of another, whose records may
  /// be overwritten, nothing.
  var findings: RecordFindingList {
    survey.error == nil ? contents.findings : RecordFindingList()
  }
}

extension HandoverContents {
  /// The files of all sessions.
  var files: [FileContents] {
    subtrees.flatMap { subtree -> [FileContents] in
      guard case .liveUpdate(let contents) = subtree.record else { return [] }
      return contents.sessions.flatMap(\.files)
    }
  }
}
