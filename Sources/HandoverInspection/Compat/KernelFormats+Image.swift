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
    seen = survey.readRecords(in: image.memory, seen)

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
      pageShift: image.isPageSizeKnown ? survey.geometry.shift : nil,
      foreignBlobs: seen.foreignBlobs)
  }
}

/// The format strings met in one handover.
private struct SeenFormats: RecordVisitor {
  let source: String
  var strings: [HandoverFormat: Set<String>] = [:]
  var unreadable: Set<HandoverFormat> = []
  /// Blobs of no known form.
  var foreignBlobs: [String] = []

  /// How many sessions and files are still to be looked at.
  private var remainingRecordCount = 4096
  private var isLiveUpdateRead = false

  init(source: String) { self.source = source }

  mutating func add(_ format: HandoverFormat, _ string: String) {
    strings[format, default: []].insert(string)
  }

  mutating func enter(_ blob: HandoverSurvey.Subtree) -> Bool {
    let isKnown = KnownRecord.subtreeNames.contains(blob.subtree.name)
    if !isKnown { foreignBlobs.append(blob.subtree.name) }
    return isKnown
  }

  mutating func enter(_ record: KnownRecord) -> Bool {
    switch record {
    case .memblock(let record):
      add(.memblock, "memblock-v1")
      for region in record.regions.prefix(remainingRecordCount) {
        switch region.result {
        case .success: add(.reservedRegion, "reserve-mem-v1")
        case .failure(.formatUnknown(let string)): add(.reservedRegion, string)
        case .failure: unreadable.insert(.reservedRegion)
        }
      }
    case .kexecMetadata: add(.kexecMetadata, "version 1")
    case .khoTest: add(.selfTest, "kho-test-v1")
    case .liveUpdate(let record):
      isLiveUpdateRead = true
      add(.liveUpdate, record.format == .deviceTree ? "luo-v1" : "luo-v5")
      // The record of that form is read only with these inside.
      if record.format == .deviceTree {
        add(.liveUpdateSession, "luo-session-v2")
        add(.sharedData, "luo-flb-v1")
      }
      return true
    case .session: return takeRoom()
    case .file(let file): if takeRoom() { add(.file, file.handler) }
    case .sharedData, .memfd, .memfdFolio, .area, .khoTestFolio, .ledger, .collection: break
    }
    return false
  }

  mutating func leave(_ blob: HandoverSurvey.Subtree) { isLiveUpdateRead = false }

  private mutating func takeRoom() -> Bool {
    guard remainingRecordCount > 0 else { return false }
    remainingRecordCount -= 1
    return true
  }

  mutating func report(_ finding: RecordFinding) {
    switch finding {
    case .formatUnknown(let owner, let string):
      guard let format = format(of: owner) else { return }
      add(format, string)
      if format == .liveUpdate { unreadable.formUnion([.liveUpdateSession, .sharedData, .file]) }
    case .malformed(let owner, _):
      guard let format = format(of: owner) else { return }
      unreadable.insert(format)
      if format == .liveUpdate { unreadable.formUnion([.liveUpdateSession, .sharedData, .file]) }
    default: break
    }
  }

  /// The format that cannot be read where the record of `owner` cannot; nil where its own record shows that.
  private func format(of owner: RecordOwner) -> HandoverFormat? {
    switch owner {
    case .subtree(MemblockRecord.subtreeName): .memblock
    case .subtree(KexecMetadata.subtreeName): .kexecMetadata
    case .subtree(KHOTestRecord.subtreeName): .selfTest
    case .subtree(LiveUpdateRecord.subtreeName): isLiveUpdateRead ? .file : .liveUpdate
    case .session: .file
    case .subtree, .region, .file, .sharedData, .collection: nil
    }
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
