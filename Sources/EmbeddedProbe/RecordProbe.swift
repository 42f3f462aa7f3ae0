import DeviceTreeBlob
import Handover
import MemoryAccess
import PreservedPages

/// Follows the records of the handovers in the memory at `base`, and counts what they refer to.
///
/// - Precondition: `byteCount` bytes from `base` on are readable.
@c
public func kho_probe_records(_ base: UnsafeMutableRawPointer, _ byteCount: UInt64) -> UInt64 {
  let range = PhysicalRange(start: PhysicalAddress(1 << 20), byteCount: byteCount)
  // SAFETY: the caller promises the memory.
  let memory = unsafe DirectMap(range, mappedAt: base)
  var sum: UInt64 = 0
  for address in HandoverScanner(memory).addresses {
    let survey = HandoverSurvey(.memory(address), in: memory, geometry: .pages4KiB)
    sum &+= UInt64(survey.checkRecords(in: memory).findings.count)
    survey.forEachReference(in: memory) { sum &+= $0.range.byteCount }
    if let pages = survey.pages {
      sum &+= pages.isPreserved(memory.range, in: memory) ? 1 : 0
    }
  }
  return sum &+ editDeviceTree(in: memory)
}

/// Adds a node to the device tree at the memory's start and takes it out again.
private func editDeviceTree(in memory: DirectMap) -> UInt64 {
  memory.withMutableBytes(in: memory.range) { bytes in
    do throws(DeviceTreeEditError) {
      return try addAndRemoveNode(in: &bytes)
    } catch {
      return 0
    }
  }
}

private func addAndRemoveNode(
  in bytes: inout MutableRawSpan
) throws(DeviceTreeEditError) -> UInt64 {
  var editor: DeviceTreeEditor
  do throws(DeviceTreeError) {
    editor = try DeviceTreeEditor(validating: &bytes)
  } catch {
    throw .malformed(error)
  }
  _ = try editor.addChild("probe") { (node) throws(DeviceTreeWriterError) in
    try node.property("preserved-data", nativeUInt64: 4096)
  }
  return UInt64(try editor.removeChild("probe"))
}
