public import Handover
import MemoryAccess
public import PageAllocation

/// What to give as `kho_scratch=`, and why.
public struct ScratchRecommendation: Hashable, Sendable {
  /// The sizes of the areas.
  public let request: ScratchRequest
  /// The value of the option.
  public let option: String
  /// Why these sizes, a sentence each.
  public let reasons: [String]

  /// A recommendation for `machine`, whose next kernel and initial RAM disk take `payloadByteCount`;
  /// nil if it is unknown what boot reserves.
  ///
  /// - Parameters:
  ///   - machine: the machine.
  ///   - payloadByteCount: the size of the next kernel with its initial RAM disk, in bytes; 0 if it is unknown.
  /// - Precondition: `payloadByteCount` is at most 2^52.
  /// - Throws: what ``MachineModel/sizes(_:)`` does.
  public init?(for machine: MachineModel, payloadByteCount: UInt64) throws(MemblockError) {
    precondition(payloadByteCount <= 1 << 52, "a kernel of more than 2^52 bytes")
    guard let boot = machine.boot else { return nil }
    let sizes = try machine.sizes(.standard)
    let alignment = (1 as UInt64) << UInt64(sizes.log2Alignment)
    let low = sizes.lowByteCount
    let payload = (payloadByteCount + alignment - 1) / alignment * alignment
    let global = sizes.globalByteCount + payload
    let perNode = sizes.nodeByteCounts.map(\.byteCount).max() ?? 0
    request = .sizes(low: low, global: global, perNode: perNode)
    option = "kho_scratch=\(optionSize(low)),\(optionSize(global)),\(optionSize(perNode))"
    var reasons = [
      "the next boot allocates about what this one did, \(byteText(boot.low)) below 4 GiB and "
        + "\(byteText(boot.high)) above, and only in scratch areas until it has read the tree; twice "
        + "that, Linux's own default (200%), leaves room for a kernel that needs more",
      "in sizes, not in percent: a percentage is of what each boot happened to reserve",
      "rounded up to \(byteText(alignment)), the largest block of the page allocator, as Linux does",
    ]
    if payload > 0 {
      reasons.append(
        "the global area has \(byteText(payload)) more: kernel and initial RAM disk are loaded into "
          + "scratch, before boot allocates anything")
    } else {
      reasons.append(
        "the size of the next kernel with its initial RAM disk was not given (--payload); it is "
          + "loaded into scratch too, so add it to the second number")
    }
    self.reasons = reasons
  }
}

/// A size as the kernel's command line takes it.
public func optionSize(_ byteCount: UInt64) -> String {
  for (suffix, shift) in [("G", 30), ("M", 20), ("K", 10)] as [(String, UInt64)] {
    if byteCount > 0, byteCount & ((1 << shift) - 1) == 0 {
      return "\(byteCount >> shift)\(suffix)"
    }
  }
  return "\(byteCount)"
}
