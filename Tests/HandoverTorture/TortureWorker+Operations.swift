import HandoverDemo
import KHOCommands
import KexecHandover

extension TortureWorker {
  mutating func allocate(_ memory: inout PreservedMemory) throws(TortureFailure) {
    let isBlock = random.isOne(in: 2)
    let object: TortureObject
    if isBlock {
      object = newObject(.block, isNamed: false, count: 1, order: chooseOrder())
    } else {
      let frameCount = (chooseByteCount() - 1) >> UInt64(geometry.shift) + 1
      object = newObject(.run, isNamed: false, count: frameCount)
    }
    let shift = UInt64(geometry.shift)
    try perform(TortureRecord(.allocate, object), &memory) {
      (memory, object) throws(PreservedMemoryError) in
      object.address =
        isBlock
        ? try memory.allocate(object.order).address
        : try memory.allocate(byteCount: object.count << shift).start
    }
    try requireZeros(object.identifier, memory)
  }

  private func requireZeros(
    _ identifier: UInt64, _ memory: borrowing PreservedMemory
  ) throws(TortureFailure) {
    guard let object = model.object(identifier), object.range(in: geometry).byteCount <= 1 << 18,
      let layout = TortureLayout(of: object, in: memory.file, geometry: geometry)
    else { return }
    if let wrong = object.firstWrongByte(in: memory.file, layout, geometry: geometry) {
      throw TortureFailure("the \(object.title) that was just allocated is not zero at \(wrong)")
    }
  }

  mutating func remove(
    _ operation: TortureOperation, _ memory: inout PreservedMemory,
    _ isWanted: (TortureObject) -> Bool
  ) throws(TortureFailure) {
    guard let object = pick(isWanted) else { return try allocate(&memory) }
    let geometry = geometry
    try perform(TortureRecord(operation, object), &memory) {
      (memory, object) throws(PreservedMemoryError) in
      switch object.kind {
      case .area: try memory.removeArea(named: object.name)
      case _ where object.isNamed: try memory.removeRegion(named: object.name)
      case .block:
        try memory.free(PhysicalBlock(address: object.address, order: object.order))
      default: try memory.free(object.range(in: geometry))
      }
    }
  }

  mutating func name(_ memory: inout PreservedMemory) throws(TortureFailure) {
    let found = pick { !$0.isNamed && ($0.kind == .block || $0.kind == .run) }
    guard var object = found else { return try allocate(&memory) }
    object.isNamed = true
    let geometry = geometry
    try perform(TortureRecord(.name, object), &memory) {
      (memory, object) throws(PreservedMemoryError) in
      try memory.name(object.range(in: geometry), object.name)
    }
  }

  mutating func removeName(_ memory: inout PreservedMemory) throws(TortureFailure) {
    let found = pick { $0.isNamed && ($0.kind == .block || $0.kind == .run) }
    guard var object = found else { return try name(&memory) }
    object.isNamed = false
    try perform(TortureRecord(.removeName, object), &memory) {
      (memory, object) throws(PreservedMemoryError) in
      try memory.removeName(object.name)
    }
  }

  // MARK: Memory with a name

  mutating func makeRegion(_ memory: inout PreservedMemory) throws(TortureFailure) {
    let object = newObject(.region, isNamed: true, count: chooseByteCount(), seed: newSeed())
    try perform(TortureRecord(.makeRegion, object), &memory) {
      (memory, object) throws(PreservedMemoryError) in
      let (count, seed) = (object.count, object.seed)
      object.address = try memory.makeRegion(named: object.name, byteCount: count) {
        fill(&$0, byteCount: count, seed: seed)
      }.start
    }
  }

  mutating func replaceRegion(_ memory: inout PreservedMemory) throws(TortureFailure) {
    guard var object = pick({ $0.kind == .region }) else { return try makeRegion(&memory) }
    object.count = chooseByteCount()
    object.seed = newSeed()
    try perform(TortureRecord(.replaceRegion, object), &memory) {
      (memory, object) throws(PreservedMemoryError) in
      let (count, seed) = (object.count, object.seed)
      object.address = try memory.replaceRegion(named: object.name, byteCount: count) {
        fill(&$0, byteCount: count, seed: seed)
      }.start
    }
  }

  mutating func makeArea(_ memory: inout PreservedMemory) throws(TortureFailure) {
    let order = PageOrder(Int(random.next() % 3))
    let most = max(1, chooseByteCount() / geometry.blockByteCount(order))
    let object = newObject(
      .area, isNamed: true, count: random.size(upTo: min(most, 1200)), order: order)
    let geometry = geometry
    try perform(TortureRecord(.makeArea, object), &memory) {
      (memory, object) throws(PreservedMemoryError) in
      try memory.makeArea(named: object.name, blockCount: object.count, order: order)
      object.address = try memory.region(named: object.name)?.start ?? .zero
      object.digest =
        TortureLayout(of: object, in: memory.file, geometry: geometry)?.digest ?? 0
    }
  }

  mutating func makeValue(_ memory: inout PreservedMemory) throws(TortureFailure) {
    let object = newObject(.value, isNamed: true, count: 8, seed: newSeed())
    try perform(TortureRecord(.makeValue, object), &memory) {
      (memory, object) throws(PreservedMemoryError) in
      object.address = try memory.value(named: object.name, initially: object.seed).address
    }
  }

  mutating func storeValue(_ memory: inout PreservedMemory) throws(TortureFailure) {
    guard var object = pick({ $0.kind == .value }) else { return try makeValue(&memory) }
    object.seed = newSeed()
    try perform(TortureRecord(.storeValue, object), &memory) {
      (memory, object) throws(PreservedMemoryError) in
      let value = try memory.value(named: object.name, initially: object.seed)
      memory.store(object.seed, to: value)
    }
  }

  mutating func rewrite(_ memory: inout PreservedMemory) throws(TortureFailure) {
    let found = pick { $0.kind == .block || $0.kind == .run || $0.kind == .area }
    guard let old = found,
      let layout = TortureLayout(of: old, in: memory.file, geometry: geometry)
    else { return try allocate(&memory) }
    var object = old
    object.seed = newSeed()
    try perform(TortureRecord(.rewrite, object), &memory) {
      (memory, object) throws(PreservedMemoryError) in
      old.rewrite(with: object.seed, in: &memory, layout)
    }
  }
}
