// The strings block: names are collected at the end of the memory, and each is stored once.
extension DeviceTreeWriter {
  /// Marks the reference to a new name: its distance from the memory's end, until all are known.
  static var newNameFlag: UInt32 { 0x8000_0000 }

  /// What to write for the name of a property; stores the name when it is new.
  @_lifetime(self: copy self)
  mutating func reference(to name: NameBuffer) throws(DeviceTreeWriterError) -> UInt32 {
    if let offset = find(name, in: sharedStrings) {
      return UInt32(truncatingIfNeeded: offset &- sharedStrings.lowerBound)
    }
    let end = memory.byteCount
    if let offset = find(name, in: (end &- storedStringsByteCount)..<end) {
      return Self.newNameFlag | UInt32(truncatingIfNeeded: end &- offset)
    }
    let byteCount = name.byteCount &+ 1
    guard newStringsByteCount < Int(Int32.max) &- byteCount else { throw .tooLarge }
    newStringsByteCount &+= byteCount
    let position = end &- storedStringsByteCount &- byteCount
    if position < structureStart &+ structureByteCount { isOutOfRoom = true }
    guard position >= firstOwnByte else {
      hasLostNames = true
      return 0
    }
    for index in 0..<byteCount { memory.store(name[index], at: position &+ index) }
    storedStringsByteCount &+= byteCount
    return Self.newNameFlag | UInt32(truncatingIfNeeded: end &- position)
  }

  /// Where `name` is in a run of terminated names.
  private func find(_ name: NameBuffer, in names: Range<Int>) -> Int? {
    var start = names.lowerBound
    while start < names.upperBound {
      var index = 0
      while index < name.byteCount, start &+ index < names.upperBound,
        memory.byte(at: start &+ index) == name[index]
      {
        index &+= 1
      }
      if index == name.byteCount, start &+ index < names.upperBound,
        memory.byte(at: start &+ index) == 0
      {
        return start
      }
      // On to what follows the next terminator.
      start &+= index
      while start < names.upperBound, memory.byte(at: start) != 0 { start &+= 1 }
      start &+= 1
    }
    return nil
  }

  /// Where the new names are: at the end of the memory.
  var storedStrings: Range<Int> {
    (memory.byteCount &- storedStringsByteCount)..<memory.byteCount
  }

  /// Turns references to new names into offsets, now that the strings block is known.
  @_lifetime(self: copy self)
  mutating func resolveNames() {
    let end = structureStart &+ structureByteCount
    var offset = structureStart
    while offset < end, let token = memory.bytes.bigEndianWord(at: offset) {
      offset &+= 4
      switch token {
      case StructureToken.beginNodeWord:
        // Up to the terminator, then to the next word, counted from the structure's own start.
        while offset < end, memory.byte(at: offset) != 0 { offset &+= 1 }
        offset = structureStart &+ ((offset &- structureStart &+ 4) & ~3)
      case StructureToken.propertyWord:
        guard let byteCount = memory.bytes.bigEndianWord(at: offset),
          let reference = memory.bytes.bigEndianWord(at: offset &+ 4)
        else { return }
        if reference & Self.newNameFlag != 0 {
          let fromStart =
            sharedStrings.count &+ storedStringsByteCount
            &- Int(truncatingIfNeeded: reference & ~Self.newNameFlag)
          memory.storeBigEndian(UInt32(truncatingIfNeeded: fromStart), at: offset &+ 4)
        }
        offset &+= 8 &+ ((Int(truncatingIfNeeded: byteCount) &+ 3) & ~3)
      default:
        continue
      }
    }
  }
}
