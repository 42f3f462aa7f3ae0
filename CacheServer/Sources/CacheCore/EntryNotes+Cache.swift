internal import PersistentCollections

/// What the cache keeps in the two words beside each value.
extension EntryNotes {
  /// - Parameter deadline: when the entry's time has come, in milliseconds since 1970; 0 for never.
  /// - Parameter lastAccess: when it was used last, in milliseconds since 1970.
  init(deadline: UInt64 = 0, lastAccess: UInt64) {
    self.init(first: deadline, second: lastAccess)
  }

  /// When the entry's time has come, in milliseconds since 1970; 0 for never.
  var deadline: UInt64 { first }

  /// When the entry was used last, in milliseconds since 1970.
  var lastAccess: UInt64 {
    get { second }
    set { second = newValue }
  }

  /// Whether the entry's time has come at `time`, in milliseconds since 1970.
  @inline(__always)
  func isOver(at time: UInt64) -> Bool { deadline != 0 && deadline <= time }
}
