/// Why a device tree was not edited; it is as it was. Offsets count from the blob's start.
@nonexhaustive
public enum DeviceTreeEditError: Error, Equatable, Sendable {
  /// The blob to edit is not a device tree, or has changed since it was checked.
  case malformed(DeviceTreeError)
  /// The edited blob cannot be written; also when it does not fit.
  case unwritable(DeviceTreeWriterError)
  /// The root has a child of that name already, at `offset`.
  case childExists(offset: Int)
  /// The root has no child of that name.
  case noSuchChild
  /// The node at `offset` has no property of that name.
  case noSuchProperty(offset: Int)
  /// The property at `offset` has a value of another length.
  case wrongByteCount(stored: Int, offset: Int)
  /// The blocks are not in the order reservations, structure, strings, which an edit in place
  /// needs; write a new blob instead.
  case unsupportedLayout
}
