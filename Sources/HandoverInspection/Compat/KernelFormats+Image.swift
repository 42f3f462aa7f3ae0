public import Handover
import MemoryAccess
import MemoryImages
import PreservedPages

extension KernelFormats {
  /// What the handover `survey` of `image` says about the kernel that wrote it.
  ///
  /// It writes what is there. What it reads is the same; of what is not there, it reads what all
  /// releases of that version read, where they agree.
  public init(_ survey: HandoverSurvey, in image: HandoverImage) {
    var seen = SeenFormats(source: "\(image.name), \(survey.title)")
    if let compatible = survey.deviceTree?.compatible { seen.add(.root, compatible) }
    if survey.deviceTree?.version == .v1 {
      if let byteCount = survey.chunkBitmapByteCount {
        seen.add(.chunkBitmap, byteCount == 512 ? "512 bytes" : "a page")
      } else {
        seen.unreadable.insert(.chunkBitmap)
      }
    }
    var foreign: [String] = []
    for subtree in survey.subtrees {
      if !seen.look(at: subtree, of: survey, in: image.memory) {
        foreign.append(subtree.subtree.name)
      }
    }

    var writes: [HandoverFormat: FormatFact] = [:]
    var reads: [HandoverFormat: FormatFact] = [:]
    let root = survey.deviceTree?.compatible ?? ""
    for format in HandoverFormat.allCases {
      if seen.unreadable.contains(format) { continue }
      let strings = seen.strings[format]
      writes[format] = FormatFact(Array(strings ?? []), seen.source)
      if let strings {
        reads[format] = FormatFact(Array(strings), seen.source)
      } else {
        let fact = FormatCatalogue.fact(format, ofAllWriting: root)
        if fact != .unknown { reads[format] = fact }
      }
    }
    self.init(
      name: "\(image.name), \(survey.title)", writes: writes, reads: reads,
      pageShift: image.isPageSizeKnown ? survey.geometry.shift : nil, foreignBlobs: foreign)
  }
}

/// The format strings met in one handover.
private struct SeenFormats {
  let source: String
  var strings: [HandoverFormat: Set<String>] = [:]
  var unreadable: Set<HandoverFormat> = []

  /// How many files of sessions, and data they share, are looked at.
  private static let recordLimit = 4096

  init(source: String) { self.source = source }

  mutating func add(_ format: HandoverFormat, _ string: String) {
    strings[format, default: []].insert(string)
  }

  /// Notes what `read` gives, or the string that it stumbled over.
  private mutating func note(
    _ format: HandoverFormat, _ read: () throws(RecordError) -> String?
  ) {
    do throws(RecordError) {
      if let string = try read() { add(format, string) }
    } catch {
      if case .formatUnknown(let string) = error {
        add(format, string)
      } else {
        unreadable.insert(format)
      }
    }
  }

  /// Looks at a blob; false where its form is not known.
  mutating func look(
    at subtree: HandoverSurvey.Subtree, of survey: HandoverSurvey, in memory: MemoryImage
  ) -> Bool {
    let (address, byteCount) = (subtree.subtree.address, subtree.byteCount)
    let geometry = survey.geometry
    switch subtree.subtree.name {
    case MemblockRecord.subtreeName:
      var regions: [MemblockRecord.Region] = []
      note(.memblock) { () throws(RecordError) in
        regions = try MemblockRecord(at: address, byteCount: byteCount, in: memory).regions
        return "memblock-v1"
      }
      for region in regions.prefix(Self.recordLimit) {
        note(.reservedRegion) { () throws(RecordError) in
          _ = try region.result.get()
          return "reserve-mem-v1"
        }
      }
    case KexecMetadata.subtreeName:
      note(.kexecMetadata) { () throws(RecordError) in
        _ = try KexecMetadata(at: address, byteCount: byteCount, in: memory)
        return "version 1"
      }
    case KHOTestRecord.subtreeName:
      note(.selfTest) { () throws(RecordError) in
        _ = try KHOTestRecord(at: address, byteCount: byteCount, in: memory, geometry: geometry)
        return "kho-test-v1"
      }
    case LiveUpdateRecord.subtreeName:
      lookAtLiveUpdate(address, byteCount, geometry, memory)
    default: return false
    }
    return true
  }

  private mutating func lookAtLiveUpdate(
    _ address: PhysicalAddress, _ byteCount: UInt64?, _ geometry: PageGeometry,
    _ memory: MemoryImage
  ) {
    var record: LiveUpdateRecord?
    note(.liveUpdate) { () throws(RecordError) in
      let found = try LiveUpdateRecord(at: address, byteCount: byteCount, in: memory)
      record = found
      return found.format == .deviceTree ? "luo-v1" : "luo-v5"
    }
    guard let record else {
      unreadable.formUnion([.liveUpdateSession, .sharedData, .file])
      return
    }
    // The record of that form is read only with these inside.
    if record.format == .deviceTree {
      add(.liveUpdateSession, "luo-session-v2")
      add(.sharedData, "luo-flb-v1")
    }
    var handlers: Set<String> = []
    note(.file) { () throws(RecordError) in
      var sessions = try LiveUpdateSessions(of: record, in: memory, geometry: geometry)
      var count = 0
      while count < Self.recordLimit, let session = try sessions.next() {
        var files = try LiveUpdateFiles(of: session, record.format, in: memory, geometry: geometry)
        while count < Self.recordLimit, let file = try files.next() {
          handlers.insert(file.handler)
          count += 1
        }
        count += 1
      }
      return nil
    }
    for handler in handlers { add(.file, handler) }
  }
}

extension HandoverSurvey {
  /// The length of the bitmaps of a `kho-v1` handover, where it was not merely assumed.
  fileprivate var chunkBitmapByteCount: Int? {
    guard let pages, let bitmapCount = pages.nodeCountByLevel.first, bitmapCount > 0,
      let chunkCount = pages.nodeCountByLevel.last
    else { return nil }
    for finding in pages.findings.findings {
      if case .bitmapSizeAssumed = finding { return nil }
    }
    let chunkBytes = chunkCount * UInt64(geometry.pageByteCount)
    return Int((pages.metadataByteCount - chunkBytes) / bitmapCount)
  }
}
