import MemoryAccess

/// Why a handover cannot be planned: something does not fit into the machine.
@nonexhaustive
public enum PlanError: Error, Hashable, Sendable {
  /// No block of the order has a size below 2^64 bytes.
  case orderTooLarge(Int)
  /// The blocks of the order, with those of lower orders, take more than the machine's memory.
  case blocksDoNotFit(order: Int, memoryByteCount: UInt64)
  /// Bytes of boot or of a scratch area do not fit where they must be allocated.
  case scratchDoesNotFit(byteCount: UInt64, memoryByteCount: UInt64, nodeCount: Int)

  /// What does not fit, as it follows `kho: `.
  public var sentence: String {
    switch self {
    case .orderTooLarge(let order): "no block of order \(order) has a size below 2^64 bytes"
    case .blocksDoNotFit(let order, let memoryByteCount):
      "the blocks do not fit into \(byteText(memoryByteCount)) of memory: order \(order) and the "
        + "orders below it take more"
    case .scratchDoesNotFit(let byteCount, let memoryByteCount, let nodeCount):
      "\(byteText(byteCount)) do not fit where they must be allocated: the machine has "
        + "\(byteText(memoryByteCount)) on \(countText(nodeCount, "node")), "
        + "less what boot reserves and the areas before"
    }
  }
}

extension PlanError: CustomStringConvertible {
  /// What does not fit, as a part of a sentence.
  public var description: String { sentence }
}
