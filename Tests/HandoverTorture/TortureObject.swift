import KexecHandover

/// Something that torture preserves, as the journal shows it.
struct TortureObject: Equatable {
  enum Kind: UInt64 {
    /// A block of 2^order pages, with a name or without.
    case block = 1
    /// A run of pages, with a name or without.
    case run
    /// A region of `count` bytes.
    case region
    /// An area of `count` blocks of 2^order pages.
    case area
    /// A word of 8 bytes, whose value is `seed`.
    case value
  }

  let identifier: UInt64
  let kind: Kind
  var isNamed: Bool
  /// Pages of a run, bytes of a region or a value, blocks of an area; 1 of a block.
  var count: UInt64
  /// Of a block, and of the blocks of an area.
  let order: PageOrder
  /// What its bytes are made from; 0 for zeros.
  var seed: UInt64
  /// The first byte; of an area, that of its descriptor.
  var address = PhysicalAddress.zero
  /// Of an area: what its chunks and blocks are, boiled down to a number.
  var digest: UInt64 = 0

  /// What a successor finds it by.
  var name: String {
    switch kind {
    case .block, .run: "memory-\(identifier)"
    case .region: "region-\(identifier)"
    case .area: "area-\(identifier)"
    case .value: "value-\(identifier)"
    }
  }

  /// The bytes of its own, of an area those of the descriptor.
  func range(in geometry: PageGeometry) -> PhysicalRange {
    let byteCount =
      switch kind {
      case .block: geometry.blockByteCount(order)
      case .run: count << UInt64(geometry.shift)
      case .region, .value: count
      case .area: UInt64(VmallocArea.byteCount)
      }
    return PhysicalRange(start: address, byteCount: byteCount)
  }

  /// How it is called in sentences.
  var title: String {
    switch kind {
    case .block: "block of order \(order)"
    case .run: "run of \(countText(count, "page"))"
    case .region: "region of \(countText(count, "byte"))"
    case .area: "area of \(countText(count, "block")) of order \(order)"
    case .value: "value"
    }
  }
}

/// What torture knows to be preserved.
struct TortureModel {
  /// In no order that means anything.
  private(set) var objects: [TortureObject] = []

  /// Adds the object, or puts it in the place of the one with its number.
  mutating func put(_ object: TortureObject) {
    if let index = index(of: object.identifier) {
      objects[index] = object
    } else {
      objects.append(object)
    }
  }

  mutating func remove(_ identifier: UInt64) {
    guard let index = index(of: identifier) else { return }
    objects.swapAt(index, objects.count - 1)
    objects.removeLast()
  }

  func object(_ identifier: UInt64) -> TortureObject? {
    index(of: identifier).map { objects[$0] }
  }

  private func index(of identifier: UInt64) -> Int? {
    objects.firstIndex { $0.identifier == identifier }
  }

  /// Repeats an operation whose record is complete.
  mutating func apply(_ record: TortureRecord) {
    switch record.operation.effect {
    case .puts: put(record.object)
    case .removes: remove(record.object.identifier)
    case .nothing: break
    case .keepsSome: objects.removeAll { !record.keeps($0) }
    }
  }
}
