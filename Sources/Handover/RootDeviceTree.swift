public import DeviceTreeBlob
public import MemoryAccess

/// What the root device tree of a handover says.
///
/// Source: `FormatRootDeviceTree.md`.
public struct RootDeviceTree: Equatable, Sendable {
  /// A blob that a subsystem registered under a name.
  public struct Subtree: Equatable, Sendable {
    /// The name of the child node.
    public let name: String
    /// Where the blob is.
    public let address: PhysicalAddress
    /// The blob's size in bytes; `nil` if the version does not store it.
    public let byteCount: UInt64?
  }

  /// The name of the property that points to the entries.
  package static let mapProperty = "preserved-memory-map"

  /// The name of the property that marks the root device tree of a memory file; Linux does not read it.
  package static let memoryFileProperty = "memory-file"

  /// The largest root device tree that is read, in bytes; Linux stops at one page.
  public static let largestByteCount: UInt64 = 2 << 20

  /// The value of `compatible`; of a list, the version that is known, or the first; nil if none exists
  /// that is text.
  public private(set) var compatible: String?
  /// The version that ``compatible`` names; nil of one that is not known.
  public private(set) var version: ABIVersion?
  /// Where the tree's root, or the first chunk, is; 0 when nothing is preserved, nil when the
  /// property is missing or malformed.
  public private(set) var map: PhysicalAddress?
  /// The subtrees whose address can be read, in the order of the device tree.
  public private(set) var subtrees: [Subtree] = []
  /// Whether the device tree says that it is of a memory file, so that its addresses are offsets in that.
  public private(set) var isOfMemoryFile = false
  /// The size of the device tree itself, in bytes.
  public let byteCount: Int
  /// What is wrong.
  public private(set) var findings: [HandoverFinding] = []

  /// Reads the root device tree in `bytes`, which may go on behind it.
  ///
  /// What is wrong with a property is a finding, and the rest is read.
  ///
  /// - Throws: when the bytes are not a device tree.
  /// - Complexity: O(bytes).
  public init(parsing bytes: RawSpan) throws(DeviceTreeError) {
    let tree = try DeviceTree(validating: bytes)
    byteCount = tree.totalByteCount
    let root = tree.root
    try readCompatible(root)
    try readMap(root)
    isOfMemoryFile = try root.property(named: Self.memoryFileProperty) != nil
    // The names of a subtree's properties depend on the version.
    guard let version else { return }
    var children = root.children
    while let child = try children.next() { try readSubtree(child, version) }
    if map == .zero, !subtrees.isEmpty {
      findings.append(.mapEmpty(subtreeCount: subtrees.count))
    }
  }

  /// Reads the root device tree in `bytes`, as ``init(parsing:)-(RawSpan)`` does.
  package init(parsing bytes: [UInt8]) throws(DeviceTreeError) {
    self = try bytes.withRawSpan { (bytes) throws(DeviceTreeError) in
      try RootDeviceTree(parsing: bytes)
    }
  }

  private mutating func readCompatible(_ root: DeviceTreeNode) throws(DeviceTreeError) {
    guard let property = try root.property(named: "compatible"), var strings = property.strings,
      let first = strings.next()
    else {
      findings.append(.compatibleMissing)
      return
    }
    let firstCompatible = first.string
    compatible = firstCompatible
    version = ABIVersion(compatible: firstCompatible)
    // As of every device tree, the value may be a list; Linux looks for its own version in all of it.
    while version == nil, let next = strings.next() {
      guard let known = ABIVersion(compatible: next.string) else { continue }
      version = known
      compatible = next.string
    }
    if version == nil { findings.append(.versionUnknown(firstCompatible)) }
  }

  private mutating func readMap(_ root: DeviceTreeNode) throws(DeviceTreeError) {
    guard let property = try root.property(named: Self.mapProperty) else {
      findings.append(.mapMissing)
      return
    }
    guard let address = property.nativeUInt64 else {
      findings.append(.mapSizeWrong(byteCount: property.byteCount))
      return
    }
    map = PhysicalAddress(address)
  }

  private mutating func readSubtree(
    _ node: DeviceTreeNode, _ version: ABIVersion
  ) throws(DeviceTreeError) {
    let name = node.nameString
    let addressProperty = version.subtreeAddressProperty
    let addressValue = try node.property(named: addressProperty)
    guard let address = addressValue?.nativeUInt64 else {
      findings.append(
        .subtreeAddressWrong(
          name: name, property: addressProperty, byteCount: addressValue?.byteCount))
      return
    }
    var byteCount: UInt64?
    if let sizeProperty = version.subtreeSizeProperty {
      let sizeValue = try node.property(named: sizeProperty)
      byteCount = sizeValue?.nativeUInt64
      if byteCount == nil {
        findings.append(
          .subtreeSizeWrong(name: name, property: sizeProperty, byteCount: sizeValue?.byteCount))
      }
    }
    subtrees.append(
      Subtree(name: name, address: PhysicalAddress(address), byteCount: byteCount))
  }

  /// Whether this device tree means to be the root of a handover, sound or not.
  package var claimsToBeRoot: Bool {
    map != nil || findings.contains { if case .mapSizeWrong = $0 { true } else { false } }
      || compatible.map { $0.utf8.starts(with: "kho-v".utf8) } ?? false
  }
}
