public import Handover

/// A machine, and how much of it is known.
public struct KnownMachine: Sendable {
  /// The machine.
  public let machine: MachineModel
  /// What the command line asks for; nil if it does not contain `kho_scratch=`, or is unknown.
  public let commandLineScratch: ScratchRequest?
  /// Whether what boot allocates was read from the machine, so that the areas that Linux makes without being
  /// asked can be computed.
  public let isBootRead: Bool
  /// The sources of the numbers, a sentence for each.
  public let basis: [String]
}
