import KexecHandover

extension TortureExaminer {
  /// The record of an operation in flight with its result, as memory shows it; nil where memory has
  /// none.
  func completed(
    _ record: TortureRecord, _ model: TortureModel, _ observed: ObservedMemory,
    in memory: some PhysicalMemory
  ) -> TortureRecord? {
    var record = record
    switch record.operation {
    case .exists, .open, .trim, .rewrite: return nil
    case .allocate:
      guard let first = strangers(to: model, observed, in: memory).min() else { return nil }
      record.object.address = first.address
    case .makeRegion, .replaceRegion, .makeArea, .makeValue:
      guard let range = observed.regions[record.object.name] else { return nil }
      record.object.address = range.start
      if record.operation == .makeArea {
        let layout = TortureLayout(of: record.object, in: memory, geometry: geometry)
        record.object.digest = layout?.digest ?? 0
      }
    case .free, .removeRegion, .removeArea, .name, .removeName, .storeValue, .takeOverFresh: break
    }
    return record
  }

  /// The entries that belong to nothing in the model.
  private func strangers(
    to model: TortureModel, _ observed: ObservedMemory, in memory: some PhysicalMemory
  ) -> Set<PhysicalBlock> {
    var strangers = Set(observed.entries)
    strangers.remove(observed.deviceTree)
    for object in model.objects {
      let layout = TortureLayout(of: object, in: memory, geometry: geometry)
      strangers.subtract(layout?.entries ?? [])
    }
    return strangers
  }

  /// The same for pages of another size.
  func looking(at geometry: PageGeometry) -> TortureExaminer {
    var other = TortureExaminer(geometry)
    other.comparedByteCount = comparedByteCount
    return other
  }
}
