public import Handover
public import MemoryAccess
public import MemoryImages

/// Something in a handover whose bytes can be read.
@nonexhaustive
public enum ExtractTarget: Sendable {
  /// A registered blob.
  case subtree(String)
  /// A file of a session.
  case memfd(session: String, token: UInt64)
  /// A region of `reserve_mem`.
  case region(String)
  /// A range of memory, preserved or not.
  case range(PhysicalRange)

  /// What it is called in sentences.
  public var title: String {
    switch self {
    case .subtree(let name): "blob \"\(printable(name))\""
    case .memfd(let session, let token): "file \(token) of session \"\(printable(session))\""
    case .region(let name): "region \"\(printable(name))\""
    case .range(let range): "\(range)"
    }
  }

  /// Where the bytes are; nil if the handover does not contain anything of that name.
  ///
  /// - Throws: ``ExtractionError`` if it does, and the bytes cannot be read.
  public func find(
    in survey: HandoverSurvey, _ memory: MemoryImage
  ) throws(ExtractionError) -> Extraction? {
    switch self {
    case .range(let range): return .range(range)
    case .subtree(let name):
      guard let subtree = survey.subtrees.first(where: { $0.subtree.name == name }) else {
        return nil
      }
      guard let byteCount = subtree.byteCount else {
        throw .sizeUnknown(subtree.subtree.address)
      }
      return .range(try Self.range(subtree.subtree.address, byteCount, in: memory))
    case .region(let name): return try findRegion(name, in: survey, memory)
    case .memfd(let session, let token):
      return try findMemfd(session, token, in: survey, memory)
    }
  }

  private func findRegion(
    _ name: String, in survey: HandoverSurvey, _ memory: MemoryImage
  ) throws(ExtractionError) -> Extraction? {
    for subtree in survey.contents(in: memory).subtrees {
      guard case .memblock(let regions) = subtree.record,
        let region = regions.first(where: { $0.name == name })
      else { continue }
      switch region.result {
      case .success(let region):
        return .range(try Self.range(region.range.start, region.range.byteCount, in: memory))
      case .failure(let error): throw .record(error)
      }
    }
    return nil
  }

  private func findMemfd(
    _ session: String, _ token: UInt64, in survey: HandoverSurvey, _ memory: MemoryImage
  ) throws(ExtractionError) -> Extraction? {
    guard let pages = survey.pages else { return nil }
    var options = HandoverContents.Options()
    options.keptFile = .file(session: session, token: token)
    for file in survey.contents(in: memory, options: options).files {
      guard file.file.isMemfd else { throw .handlerUnknown(file.file.handler) }
      if let error = file.error { throw .record(error) }
      guard let memfd = file.memfd else { throw .recordNotRead }
      return .memfd(memfd.record, pages)
    }
    return nil
  }

  private static func range(
    _ start: PhysicalAddress, _ byteCount: UInt64, in memory: MemoryImage
  ) throws(ExtractionError) -> PhysicalRange {
    guard let range = PhysicalRange(checkedStart: start, byteCount: byteCount),
      memory.contains(range)
    else { throw .outsideMemory(start: start, byteCount: byteCount) }
    return range
  }
}

/// Why something that a handover has cannot be extracted.
@nonexhaustive
public enum ExtractionError: Error, Hashable, Sendable {
  /// The blob at the address is of a version that does not record sizes.
  case sizeUnknown(PhysicalAddress)
  /// The bytes are not in memory.
  case outsideMemory(start: PhysicalAddress, byteCount: UInt64)
  /// The file was preserved by a handler whose format is not known.
  case handlerUnknown(String)
  /// The record of the file was not read.
  case recordNotRead
  /// The record is malformed.
  case record(RecordError)

  /// What was found, as it follows `kho: IMAGE: WHAT: `.
  public var sentence: String {
    switch self {
    case .sizeUnknown(let address): "its size is unknown; it starts at \(address), for --range"
    case .outsideMemory(let start, let byteCount):
      "its \(countText(byteCount, "byte")) at \(start) are outside memory"
    case .handlerUnknown(let handler):
      "it was preserved by \"\(printable(handler))\", whose format is not known"
    case .recordNotRead: "its record was not read"
    case .record(let error): error.sentence
    }
  }
}

extension ExtractionError: CustomStringConvertible {
  /// What was found and where, as a part of a sentence.
  public var description: String { sentence }
}
