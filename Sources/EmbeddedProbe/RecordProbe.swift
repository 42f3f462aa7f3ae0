import DeviceTreeBlob
import Handover
import MemoryAccess
import PreservedPages

/// Reads the handover whose root device tree is at the start of the memory at `base`, and counts what
/// its records refer to.
///
/// - Precondition: `byteCount` bytes from `base` on are readable.
@c
public func kho_probe_records(_ base: UnsafeMutableRawPointer, _ byteCount: UInt64) -> UInt64 {
  let range = PhysicalRange(start: PhysicalAddress(1 << 20), byteCount: byteCount)
  // SAFETY: the caller promises the memory.
  let memory = unsafe DirectMap(range, mappedAt: base)
  let survey = HandoverSurvey(.memory(range.start), in: memory, geometry: .pages4KiB)
  var sum = UInt64(survey.findings.count)
  for subtree in survey.subtrees {
    do throws(RecordError) {
      sum &+= try readRecord(subtree, in: memory)
    } catch {
      sum &+= 1
    }
  }
  if let pages = survey.pages {
    sum &+= pages.isPreserved(memory.range, in: memory) ? 1 : 0
  }
  return sum &+ editDeviceTree(in: memory)
}

/// Reads the record of a known format in `subtree`, and counts its elements.
private func readRecord(
  _ subtree: HandoverSurvey.Subtree, in memory: DirectMap
) throws(RecordError) -> UInt64 {
  let (address, byteCount) = (subtree.subtree.address, subtree.byteCount)
  let geometry = PageGeometry.pages4KiB
  var count: UInt64 = 0
  switch subtree.subtree.name {
  case MemblockRecord.subtreeName:
    count = UInt64(try MemblockRecord(at: address, byteCount: byteCount, in: memory).regions.count)
  case KexecMetadata.subtreeName:
    count = UInt64(try KexecMetadata(at: address, byteCount: byteCount, in: memory).kexecCount)
  case KHOTestRecord.subtreeName:
    let record = try KHOTestRecord(
      at: address, byteCount: byteCount, in: memory, geometry: geometry)
    var folios = KHOTestFolios(of: record, in: memory, geometry: geometry)
    while try folios.next() != nil { count &+= 1 }
  case LiveUpdateRecord.subtreeName:
    let record = try LiveUpdateRecord(at: address, byteCount: byteCount, in: memory)
    var sessions = try LiveUpdateSessions(of: record, in: memory, geometry: geometry)
    while let session = try sessions.next() {
      var files = try LiveUpdateFiles(of: session, record.format, in: memory, geometry: geometry)
      while let file = try files.next() {
        guard file.isMemfd else { continue }
        let memfd = try MemfdRecord(
          at: PhysicalAddress(file.data), in: memory, geometry: geometry)
        var folios = MemfdFolios(of: memfd, in: memory, geometry: geometry)
        while try folios.next() != nil { count &+= 1 }
      }
    }
  default: break
  }
  return count
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
