import KHOCommands

/// What a store should contain.
struct StoreModel: Equatable {
  enum Kind { case map, orderedMap, log, value, counter }

  /// A collection.
  struct Content: Equatable {
    let kind: Kind
    var entries: [UInt64: [UInt8]] = [:]
    /// Of a log, the number of the first entry and of the next one.
    var range: Range<UInt64> = 0..<0
    var value: [UInt8]?
    var number: Int64 = 0
  }

  private static let kinds: [Kind] = [
    .map, .orderedMap, .log, .map, .orderedMap, .log, .value, .counter, .map, .orderedMap,
  ]

  var contents: [Content]
  /// The regions that there are beside the collections.
  var regions: Set<UInt64> = []

  static func kind(_ index: Int) -> Kind { kinds[index % kinds.count] }

  init(collectionCount: Int) {
    contents = (0..<collectionCount).map { Content(kind: Self.kind($0)) }
  }

  mutating func apply(_ operation: StoreOperation) {
    switch operation {
    case .single(let change): apply(change)
    case .together(let changes): for change in changes { apply(change) }
    case .aborted: break
    case .removal(let index): contents[index] = Content(kind: Self.kind(index))
    case .clearing(let index): if contents[index].kind == .map { contents[index].entries = [:] }
    case .region(let name): if regions.remove(name) == nil { regions.insert(name) }
    }
  }

  private mutating func apply(_ change: StoreChange) {
    let index = change.collection
    switch (contents[index].kind, change.action) {
    case (.map, .put), (.orderedMap, .put), (.orderedMap, .extend):
      contents[index].entries[change.key] = change.bytes
    case (.map, .extend):
      if contents[index].entries[change.key] != nil {
        contents[index].entries[change.key]! += change.bytes.prefix(2000)
      }
    case (.map, .take), (.orderedMap, .take): contents[index].entries[change.key] = nil
    case (.log, .take):
      let range = contents[index].range
      let start = min(range.lowerBound + change.key, range.upperBound)
      for number in range.lowerBound..<start { contents[index].entries[number] = nil }
      contents[index].range = start..<range.upperBound
    case (.log, _):
      let range = contents[index].range
      contents[index].entries[range.upperBound] = change.bytes
      contents[index].range = range.lowerBound..<range.upperBound + 1
    case (.value, .take): contents[index].value = []
    case (.value, _): contents[index].value = change.bytes
    case (.counter, .take): contents[index].number -= Int64(change.key)
    case (.counter, _): contents[index].number += Int64(change.byteCount)
    }
  }
}
