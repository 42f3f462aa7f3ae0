import HandoverDemo
import KHOCommands
import KexecHandover

/// What a tortured process does.
enum TortureOperation: UInt64, CaseIterable {
  /// Not done, but there: what a journal begins with.
  case exists = 1
  case open, allocate, free, makeRegion, replaceRegion, removeRegion, name, removeName
  case makeArea, removeArea, makeValue, storeValue, rewrite, trim, takeOverFresh

  enum Effect { case puts, removes, nothing, keepsSome }

  /// What it does to the model.
  var effect: Effect {
    switch self {
    case .open, .trim: .nothing
    case .takeOverFresh: .keepsSome
    case .free, .removeRegion, .removeArea: .removes
    default: .puts
    }
  }

  /// Whether the memory has another owner afterwards, one more in its count.
  var takesOver: Bool { self == .open || self == .takeOverFresh }

  /// How it is called in output.
  var title: String {
    switch self {
    case .exists: "exists"
    case .open: "open"
    case .allocate: "allocate"
    case .free: "free"
    case .makeRegion: "make-region"
    case .replaceRegion: "replace-region"
    case .removeRegion: "remove-region"
    case .name: "name"
    case .removeName: "remove-name"
    case .makeArea: "make-area"
    case .removeArea: "remove-area"
    case .makeValue: "make-value"
    case .storeValue: "store-value"
    case .rewrite: "rewrite"
    case .trim: "trim"
    case .takeOverFresh: "fresh-take-over"
    }
  }
}

/// One operation in the journal.
struct TortureRecord {
  enum Outcome: UInt64 {
    /// Begun; the process may have been killed in it.
    case begun = 0
    case done = 1
    /// The memory was full, and nothing has changed.
    case refused = 2
  }

  let operation: TortureOperation
  var outcome = Outcome.begun
  /// The object as it is after the operation; what only the operation finds out comes with `done`.
  var object: TortureObject

  static let wordCount = 10

  var words: [UInt64] {
    [
      operation.rawValue, outcome.rawValue, object.identifier, object.kind.rawValue,
      object.isNamed ? 1 : 0, object.count, UInt64(object.order.rawValue), object.seed,
      object.address.rawValue, object.digest,
    ]
  }

  init(_ operation: TortureOperation, _ object: TortureObject) {
    self.operation = operation
    self.object = object
  }

  /// Nil of other words.
  init?(_ words: [UInt64]) {
    guard words.count == Self.wordCount, let operation = TortureOperation(rawValue: words[0]),
      let outcome = Outcome(rawValue: words[1]), let kind = TortureObject.Kind(rawValue: words[3]),
      words[6] < 64
    else { return nil }
    self.operation = operation
    self.outcome = outcome
    object = TortureObject(
      identifier: words[2], kind: kind, isNamed: words[4] == 1, count: words[5],
      order: PageOrder(Int(words[6])), seed: words[7], address: PhysicalAddress(words[8]),
      digest: words[9])
  }

  /// A record of what concerns no object, or all of them.
  static func ofNothing(_ operation: TortureOperation, seed: UInt64 = 0) -> TortureRecord {
    TortureRecord(
      operation,
      TortureObject(identifier: 0, kind: .run, isNamed: false, count: 0, order: .zero, seed: seed))
  }

  /// Whether a fresh take-over keeps the object: seven of eight.
  func keeps(_ object: TortureObject) -> Bool {
    SplitMix.mixed(self.object.seed ^ object.identifier) & 7 != 0
  }
}
