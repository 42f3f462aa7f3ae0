/// One property of a node: a name and bytes, of which only the reader knows the meaning.
///
/// Integers come in two byte orders that nothing in the blob distinguishes: those of the machine in
/// Kexec HandOver's own trees (`native…`, `FormatRootDeviceTree.md`), big-endian ones in ordinary device
/// trees (`bigEndian…`). Neither is aligned to more than 4 bytes.
public struct DeviceTreeProperty: ~Escapable {
  private let tree: DeviceTree
  /// Where the property begins, in bytes from the blob's start.
  public let offset: Int

  private let nameRange: Range<Int>
  /// Where the value is, in bytes from the blob's start.
  public let valueRange: Range<Int>

  @_lifetime(copy tree)
  init(tree: DeviceTree, offset: Int, name: Range<Int>, value: Range<Int>) {
    self.tree = tree
    self.offset = offset
    self.nameRange = name
    self.valueRange = value
  }

  /// The property's name.
  public var name: DeviceTreeString {
    @_lifetime(copy self)
    get { DeviceTreeString(tree.bytes.extracting(nameRange)) }
  }

  /// The name as a `String`, for people.
  public var nameString: String { name.string }

  /// The value as it is in the blob; may be empty.
  public var bytes: RawSpan {
    @_lifetime(copy self)
    get { tree.bytes.extracting(valueRange) }
  }

  /// The length of the value in bytes.
  public var byteCount: Int { valueRange.count }
}
