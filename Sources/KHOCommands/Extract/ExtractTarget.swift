internal import ArgumentParser
internal import KexecHandover

/// What to extract, as the command line names it.
enum ExtractTarget {
  case subtree(String)
  case memfd(MemfdName)
  case region(String)
  case range(PhysicalRange)

  /// What it is called in sentences.
  var title: String {
    switch self {
    case .subtree(let name): "blob \"\(printable(name))\""
    case .memfd(let name): "file \(name.token) of session \"\(printable(name.session))\""
    case .region(let name): "region \"\(printable(name))\""
    case .range(let range): "\(range)"
    }
  }

  /// Where the bytes lie; nil where the handover has nothing of that name.
  ///
  /// - Throws: a sentence where it has, and the bytes cannot be had.
  func find(
    in survey: HandoverSurvey, _ memory: MemoryImage
  ) throws(ExtractFailure) -> Extraction? {
    switch self {
    case .range(let range): return .range(range)
    case .subtree(let name):
      guard let subtree = survey.subtrees.first(where: { $0.subtree.name == name }) else {
        return nil
      }
      guard let byteCount = subtree.byteCount else {
        throw ExtractFailure(
          "nothing tells its size; it begins at \(subtree.subtree.address), for --range")
      }
      return .range(try Self.range(subtree.subtree.address, byteCount, in: memory))
    case .region(let name): return try findRegion(name, in: survey, memory)
    case .memfd(let name): return try findMemfd(name, in: survey, memory)
    }
  }

  private func findRegion(
    _ name: String, in survey: HandoverSurvey, _ memory: MemoryImage
  ) throws(ExtractFailure) -> Extraction? {
    for subtree in survey.contents(in: memory).subtrees {
      guard case .memblock(let regions) = subtree.record,
        let region = regions.first(where: { $0.name == name })
      else { continue }
      switch region.result {
      case .success(let region):
        return .range(try Self.range(region.range.start, region.range.byteCount, in: memory))
      case .failure(let error): throw ExtractFailure(error.sentence)
      }
    }
    return nil
  }

  private func findMemfd(
    _ name: MemfdName, in survey: HandoverSurvey, _ memory: MemoryImage
  ) throws(ExtractFailure) -> Extraction? {
    guard let pages = survey.pages else { return nil }
    var options = HandoverContents.Options()
    options.keptFile = .file(session: name.session, token: name.token)
    for file in survey.contents(in: memory, options: options).files {
      guard file.file.isMemfd else {
        throw ExtractFailure(
          "it was preserved by \"\(printable(file.file.handler))\", whose format is not known")
      }
      guard let memfd = file.memfd, file.error == nil else {
        throw ExtractFailure(file.error?.sentence ?? "its record was not read")
      }
      return .memfd(memfd.record, pages)
    }
    return nil
  }

  private static func range(
    _ start: PhysicalAddress, _ byteCount: UInt64, in memory: MemoryImage
  ) throws(ExtractFailure) -> PhysicalRange {
    guard let range = PhysicalRange(checkedStart: start, byteCount: byteCount),
      memory.contains(range)
    else {
      throw ExtractFailure(
        "its \(countText(byteCount, "byte")) at \(start) do not lie in memory")
    }
    return range
  }
}

/// Why something that is there cannot be extracted.
struct ExtractFailure: Error {
  let sentence: String

  init(_ sentence: String) { self.sentence = sentence }
}

/// A file of a session, as the command line names it: `SESSION:TOKEN`.
struct MemfdName: ExpressibleByArgument {
  let session: String
  let token: UInt64

  init?(argument: String) {
    // A session may have colons in its name, a token has none.
    guard let colon = argument.lastIndex(of: ":"),
      let token = parseNumber(argument[argument.index(after: colon)...]),
      colon > argument.startIndex
    else { return nil }
    session = String(argument[..<colon])
    self.token = token
  }
}
