import Handover
public import MemoryAccess
public import MemoryImages
import PreservedPages
import SystemPackage

/// A sign that a raw file lacks a hole that the machine's memory has.
public struct MissingHole: Hashable, Sendable {
  /// A root device tree whose handover is not whole where the file was said to be.
  public let deviceTree: PhysicalAddress
  /// The kind of machine with whose hole the handover is whole; nil where none of the known kinds fits.
  public let machine: VirtualMachine?
  /// Where the root device tree is with that hole; nil as ``machine`` is.
  public let placedDeviceTree: PhysicalAddress?
}

extension HandoverImage {
  /// Where raw memory in one piece holds a handover that points outside of it, or that does not preserve its
  /// own root device tree: the hole that the file probably lacks.
  ///
  /// - Complexity: as a survey for each kind of virtual machine.
  public func missingHole() -> MissingHole? {
    guard case .raw(let image) = memory, image.isContiguous, memoryFile == nil,
      let first = surveys.first(where: { !$0.isWhole })?.address
    else { return nil }
    for machine in VirtualMachine.allCases {
      let layout = RawLayout(machine, fileByteCount: image.byteCount)
      guard let other = try? MemoryImage.openRaw(FilePath(name), .layout(layout)),
        first >= image.range.start
      else { continue }
      let offset = first.rawValue &- image.range.start.rawValue
      guard let part = layout.parts.last(where: { $0.fileOffset <= offset }) else { continue }
      let address = part.address.advanced(byBytes: offset &- part.fileOffset)
      let isWhole = PageSizeDeduction.candidates.contains { geometry in
        HandoverSurvey(.memory(address), in: other, geometry: geometry).isWhole
      }
      if address != first, isWhole {
        return MissingHole(deviceTree: first, machine: machine, placedDeviceTree: address)
      }
    }
    return MissingHole(deviceTree: first, machine: nil, placedDeviceTree: nil)
  }
}

extension HandoverSurvey {
  /// Whether the tree can be read and its own root device tree is among what it preserves, as in every
  /// handover that a kernel takes.
  fileprivate var isWhole: Bool {
    errorCount == 0 && !missesItself
  }
}
