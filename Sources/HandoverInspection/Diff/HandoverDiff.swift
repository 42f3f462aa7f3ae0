public import Handover
import MemoryAccess
public import MemoryImages
import PreservedPages

/// What one handover has and another does not.
///
/// Compared are the version and the page size, the registered blobs, what the known records say, and,
/// with ``forEachEntryRun(_:)``, the entries. The contents of preserved pages are not compared.
public struct HandoverDiff: Sendable {
  /// One of the two handovers that are compared.
  public struct Side: Sendable {
    /// What the image is called.
    public let name: String
    /// The memory that holds the handover.
    public let memory: MemoryImage
    /// The handover.
    public let survey: HandoverSurvey

    /// The handover `survey` of `image`.
    public init(_ survey: HandoverSurvey, of image: HandoverImage) {
      name = image.name
      memory = image.memory
      self.survey = survey
    }

    /// The first handover of `image` that can be read completely.
    ///
    /// - Throws: ``HandoverImageError/unreadable(_:)`` if none of them can be read.
    public init(_ image: HandoverImage) throws(HandoverImageError) {
      self.init(try image.firstReadable, of: image)
    }
  }

  /// A property of the handovers that differs.
  public struct Property: Hashable, Sendable {
    /// `compatible`, or `page size`.
    public let name: String
    /// Its value in the first handover.
    public let a: String
    /// Its value in the second.
    public let b: String
  }

  /// The first handover.
  public let a: Side
  /// The second handover.
  public let b: Side
  /// The properties that differ.
  public let properties: [Property]
  /// The blobs that differ, in the order of the first handover, then those that only the second has.
  public let blobs: [BlobDifference]
  /// The records that differ, in the same order.
  public let records: [RecordDifference]
  /// Whether there are more records than ``HandoverContents/Options/recordLimit``, so that not all
  /// were compared.
  public let areRecordsCut: Bool

  /// Compares two handovers, but for their entries.
  ///
  /// - Complexity: O(bytes of the blobs + bytes of the records).
  public init(_ a: Side, _ b: Side) {
    self.a = a
    self.b = b
    var properties: [Property] = []
    let versions = [a, b].map { $0.survey.deviceTree?.compatible ?? "" }
    if versions[0] != versions[1] {
      properties.append(Property(name: "compatible", a: versions[0], b: versions[1]))
    }
    let sizes = [a, b].map { byteText(UInt64($0.survey.geometry.pageByteCount)) }
    if sizes[0] != sizes[1] {
      properties.append(Property(name: "page size", a: sizes[0], b: sizes[1]))
    }
    self.properties = properties
    blobs = BlobDifference.all(a, b)
    let (recordsOfA, recordsOfB) = (DecodedRecords(of: a), DecodedRecords(of: b))
    records = RecordDifference.all(recordsOfA, recordsOfB)
    areRecordsCut = recordsOfA.isCut || recordsOfB.isCut
  }

  /// Whether nothing differs but for the entries, which were not compared yet.
  public var isEmpty: Bool { properties.isEmpty && blobs.isEmpty && records.isEmpty }

  /// Whether nothing differs, with what ``forEachEntryRun(_:)`` returned.
  public func isSame(_ entries: EntryDifference) -> Bool {
    isEmpty && entries.onlyA.entryCount == 0 && entries.onlyB.entryCount == 0
  }

  /// Calls `body` with each stretch of entries that only one of the handovers has.
  ///
  /// Both are walked at once, by address; one run of each is kept, whatever the number of entries.
  ///
  /// - Returns: the sums over the entries that only one has, and over those that both have.
  /// - Complexity: O(runs of both).
  @discardableResult
  public func forEachEntryRun(
    _ body: (EntryDifference.Side, SizedRun) -> Void
  ) -> EntryDifference {
    EntryDifference(a.runs(), b.runs(), body)
  }
}

extension HandoverDiff.Side {
  /// The entries, one run at a time.
  fileprivate func runs() -> () -> SizedRun? {
    guard let pages = survey.pages else { return { nil } }
    var runs = pages.runs(in: memory)
    let geometry = survey.geometry
    return { runs.next().map { SizedRun($0, in: geometry) } }
  }
}
