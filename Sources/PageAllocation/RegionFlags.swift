/// What is special about a region of memory, or about why it is reserved.
///
/// Only inside one boot: the bits are in no format that crosses a kexec.
@frozen
public struct RegionFlags: OptionSet, Hashable, Sendable {
  /// One bit for each property.
  public let rawValue: UInt32

  /// The properties whose bits are set.
  @inlinable
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// Memory that may be unplugged while the machine runs.
  @inlinable
  public static var hotplug: RegionFlags { RegionFlags(rawValue: 1) }
  /// Memory that the machine keeps twice.
  @inlinable
  public static var mirror: RegionFlags { RegionFlags(rawValue: 2) }
  /// Memory that must not be mapped, so that it cannot be used.
  @inlinable
  public static var noMap: RegionFlags { RegionFlags(rawValue: 4) }
  /// Memory that contains nothing preserved (`FormatScratch.md`).
  @inlinable
  public static var scratch: RegionFlags { RegionFlags(rawValue: 8) }
  /// A reservation that a predecessor handed over.
  @inlinable
  public static var preserved: RegionFlags { RegionFlags(rawValue: 16) }
  /// A reservation that holds the region lists themselves. Only ``Memblock`` sets it.
  @inlinable
  public static var regionList: RegionFlags { RegionFlags(rawValue: 1 << 31) }
}
