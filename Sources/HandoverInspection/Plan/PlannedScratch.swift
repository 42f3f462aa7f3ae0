public import Handover
import PageAllocation

/// The scratch areas that Linux makes, as it is asked, and those that are recommended.
public struct PlannedScratch: Sendable {
  /// The areas that were asked for, or that Linux makes without being asked; nil if both are unknown.
  public let requested: ScratchAreas?
  /// What to give as `kho_scratch=`, and the areas that it makes; nil if it is unknown what boot allocates.
  public let recommended: (advice: ScratchRecommendation, areas: ScratchAreas)?
  /// Whether the areas are those that Linux makes without being asked.
  public let isStandard: Bool

  /// Plans the areas of a machine.
  ///
  /// - Parameters:
  ///   - known: the machine.
  ///   - request: what `kho_scratch=` is to ask for; nil for what the command line of the machine asks for, or
  ///     else Linux's default. With nil, areas are planned only if it is known what boot allocates.
  ///   - payloadByteCount: the size of the next kernel with its initial RAM disk, in bytes; 0 if it is unknown.
  /// - Precondition: `payloadByteCount` is at most 2^52.
  /// - Throws: ``PlanError/scratchDoesNotFit(byteCount:memoryByteCount:nodeCount:)``.
  public init(
    for known: KnownMachine, request: ScratchRequest? = nil, payloadByteCount: UInt64 = 0
  ) throws(PlanError) {
    let machine = known.machine
    isStandard = request == nil && known.commandLineScratch == nil
    let request = request ?? (known.isBootRead ? known.commandLineScratch ?? .standard : nil)
    do throws(MemblockError) {
      requested = try request.map { (request) throws(MemblockError) in
        try machine.areas(request)
      }
      recommended = try ScratchRecommendation(for: machine, payloadByteCount: payloadByteCount)
        .map { (advice) throws(MemblockError) in (advice, try machine.areas(advice.request)) }
    } catch {
      switch error {
      case .outOfMemory(let byteCount):
        throw .scratchDoesNotFit(
          byteCount: byteCount, memoryByteCount: machine.memoryByteCount,
          nodeCount: machine.nodeCount)
      case .listFull, .notMemory, .notReserved, .holdsRegionList:
        preconditionFailure("a machine that the early allocator cannot hold")
      }
    }
  }
}
