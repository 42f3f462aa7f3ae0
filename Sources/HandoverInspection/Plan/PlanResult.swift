/// What a handover costs: what `kho plan` prints, and ``JSONDocument/plan(_:)`` reports.
///
/// Each part is nil if it was not asked for, or is unknown.
public struct PlanResult: Sendable {
  /// The machine.
  public let machine: MachineModel?
  /// What is to be preserved, and what marking it costs.
  public let workload: PlannedWorkload?
  /// The scratch areas.
  public let scratch: PlannedScratch?
  /// How fast a tree is walked.
  public let calibration: WalkCalibration?
  /// The areas of a running kernel.
  public let current: CurrentScratch?
  /// The sources of the numbers of the machine, a sentence for each.
  public let basis: [String]

  /// The parts of a plan.
  public init(
    machine: MachineModel? = nil, workload: PlannedWorkload? = nil, scratch: PlannedScratch? = nil,
    calibration: WalkCalibration? = nil, current: CurrentScratch? = nil, basis: [String] = []
  ) {
    self.machine = machine
    self.workload = workload
    self.scratch = scratch
    self.calibration = calibration
    self.current = current
    self.basis = basis
  }

  /// What a walk takes, in nanoseconds; nil without a measurement.
  public var walkNanoseconds: UInt64? {
    guard let calibration, let workload else { return nil }
    let nodes = workload.nodesInImage ?? workload.footprint.nodesByLevel
    return calibration.nanoseconds(
      nodes: nodes.reduce(0, +), runs: workload.footprint.rangeCount)
  }
}
