package import Handover
package import MemoryImages

/// What the blobs of a handover hold, and the digests of its files.
package struct RecordsOfHandover {
  package let survey: HandoverSurvey
  package let contents: HandoverContents
  /// Digests by the address of the record of a memfd; nil where none were asked for.
  package let digests: [UInt64: String]?
  package let showsPageMaps: Bool

  /// Reads the records of `survey`.
  ///
  /// - Parameters:
  ///   - pageMaps: whether to keep where each stretch of a memfd lies.
  ///   - checksums: whether to read the files.
  ///   - progress: called with the number of bytes read so far.
  package init(
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
      guard let memfd = file.memfd, file.error == nil else { continue }
      digests[file.file.data] = digester.digest(of: memfd.record, pages)
    }
    self.digests = digests
  }

  /// What is wrong with the records of a handover that could be read; of another, whose records may
  /// be overwritten, nothing.
  package var findings: RecordFindingList {
    survey.error == nil ? contents.findings : RecordFindingList()
  }
}

extension HandoverContents {
  /// The files of all sessions.
  package var files: [FileContents] {
    subtrees.flatMap { subtree -> [FileContents] in
      guard case .liveUpdate(let contents) = subtree.record else { return [] }
      return contents.sessions.flatMap(\.files)
    }
  }
}
