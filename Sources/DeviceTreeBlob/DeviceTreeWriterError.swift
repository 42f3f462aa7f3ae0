/// Why a device tree could not be written.
@nonexhaustive
public enum DeviceTreeWriterError: Error, Hashable, Sendable {
  /// The memory is too small. `byteCountNeeded` bytes suffice, and are exactly what is needed
  /// unless the memory could not even hold the names of all properties.
  case outOfRoom(byteCountNeeded: Int)
  /// The memory for names is too small to count without counting a name twice.
  case namesOutOfRoom
  /// The blob would be longer than its 32-bit offsets allow; they are held below 2^31.
  case tooLarge

  /// A name of no bytes.
  case emptyName
  /// A name longer than ``DeviceTree/maximumNameByteCount``.
  case nameTooLong(byteCount: Int)
  /// A name with a NUL, which would end it, at that byte of the name.
  case nameContainsNUL(offset: Int)
  /// A name with a `/`, which separates the names of a path, at that byte of the name.
  case nameContainsSlash(offset: Int)
  /// A string value with a NUL, which would end it, at that byte of the string.
  case stringContainsNUL(offset: Int)

  /// A property after a child node; all properties of a node come first.
  case propertyAfterChildNode
  /// An end where no node but the root, or none of the writer's own, is open.
  case noOpenNode
  /// A finish while nodes beside the root are open.
  case unclosedNodes(count: Int)
  /// A node nested deeper than ``DeviceTree/maximumDepth``.
  case tooDeep
  /// A memory reservation after a node or a property.
  case reservationAfterContent
  /// A memory reservation of 0 bytes at 0, which would end the list, or one that runs past 2^64.
  case badReservation
}
