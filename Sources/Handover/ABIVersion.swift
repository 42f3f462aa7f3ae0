import DeviceTreeBlob
public import MemoryAccess
public import PreservedPages

/// The version of the format in which a kernel hands over: the `compatible` string of its root
/// device tree.
///
/// Source: `FormatRootDeviceTree.md`.
@nonexhaustive
public enum ABIVersion: Int, Hashable, Comparable, CaseIterable, Sendable {
  /// Linux 6.16 to 6.19: a list of chunks of bitmaps.
  case v1 = 1
  /// A radix tree, one level too low with 16 KiB pages.
  case v2
  /// Linux 7.1: a radix tree, and the size of each subtree.
  case v3
  /// Linux 7.2 and 7.3: the same tree, other records.
  case v4

  /// The version that `compatible` names; nil of any other string.
  ///
  /// A string that merely begins like a known one is another format.
  public init?(compatible: String) {
    for version in Self.allCases where version.compatible.hasBytes(of: compatible) {
      self = version
      return
    }
    return nil
  }

  /// The value of the root's `compatible` property.
  public var compatible: String {
    switch self {
    case .v1: "kho-v1"
    case .v2: "kho-v2"
    case .v3: "kho-v3"
    case .v4: "kho-v4"
    }
  }

  /// The name of a subtree's property that holds its address.
  public var subtreeAddressProperty: String {
    self == .v1 ? "fdt" : "preserved-data"
  }

  /// The name of a subtree's property that holds its size in bytes; nil if none exists.
  public var subtreeSizeProperty: String? {
    self >= .v3 ? "blob-size" : nil
  }

  /// The shape of the tree for a page size; nil where the version has a chunk list instead.
  public func radixGeometry(_ page: PageGeometry) -> RadixGeometry? {
    switch self {
    case .v1: nil
    case .v2: .version2(page)
    case .v3, .v4: RadixGeometry(page)
    }
  }

  /// Whether one version came before another.
  public static func < (lhs: ABIVersion, rhs: ABIVersion) -> Bool { lhs.rawValue < rhs.rawValue }
}
