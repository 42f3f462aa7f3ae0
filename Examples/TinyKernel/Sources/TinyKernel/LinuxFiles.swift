import Handover
import Machine
import MemoryAccess
import PageAllocation

// A file for programs under Linux. The Live Update Orchestrator preserves memfds in sessions with names; a
// program that knows a session's name takes them out again. This kernel writes such a session, and reads
// the one that comes back.

/// Prints the size and the SHA-256 of every memfd that the handover has.
func inspectLinuxFiles(_ incoming: borrowing Incoming) {
  let found: HandoverSurvey.Subtree
  do throws(IncomingHandoverError) {
    found = try incoming.subtree(named: LiveUpdateRecord.subtreeName)
  } catch {
    return
  }
  let memory = incoming.memory
  do throws(RecordError) {
    let record = try LiveUpdateRecord(
      at: found.subtree.address, byteCount: found.byteCount, in: memory)
    var sessions = try LiveUpdateSessions(of: record, in: memory, geometry: geometry)
    while let session = try sessions.next() {
      var files = try LiveUpdateFiles(
        of: session, record.format, in: memory, geometry: geometry)
      while let file = try files.next() {
        guard file.isMemfd else { continue }
        try inspect(
          MemfdRecord(at: PhysicalAddress(file.data), in: memory, geometry: geometry),
          in: memory)
      }
    }
  } catch {
    panic("the record of live updates cannot be read")
  }
}

/// Reads a file folio by folio. Each folio goes on to where the next one begins in the file; those of this
/// test have no holes.
private func inspect(_ record: MemfdRecord, in memory: Memory) throws(RecordError) {
  var sum = SHA256()
  var folios = MemfdFolios(of: record, in: memory, geometry: geometry)
  var current = try folios.next()
  while let folio = current {
    let next = try folios.next()
    let start = folio.pageIndex * 4096
    let end = min(next.map { $0.pageIndex * 4096 } ?? record.byteSize, record.byteSize)
    guard start <= end,
      memory.contains(PhysicalRange(start: folio.address, byteCount: end - start))
    else { panic("a folio of a memfd is not in memory") }
    sum.add(folio.address.rawValue, end - start)
    current = next
  }
  report(record.byteSize, sum.finish())
}

private func report(_ byteCount: UInt64, _ sum: InlineArray<8, UInt32>) {
  say(
    "  memfd: \(byteCount) bytes, sha256 \(hex32: sum[0])\(hex32: sum[1])\(hex32: sum[2])\(hex32: sum[3])\(hex32: sum[4])\(hex32: sum[5])\(hex32: sum[6])\(hex32: sum[7]) (TinyKernel)"
  )
}

extension Kernel {
  /// Adds a session "TinyKernel" with one memfd, token 1.
  mutating func addFileForLinux() throws(OutgoingHandoverError) {
    let byteCount: UInt64 = 300 * 4096 + 123
    var folios: [MemfdFolio] = []
    var sum = SHA256()
    while UInt64(folios.count) * 4096 < byteCount {
      let page = UInt64(folios.count)
      let folio = try handover.allocatePreserved(.zero, from: &frames)
      let length = min(4096, byteCount - page * 4096)
      memory.fill(folio.range(in: geometry), from: folio.address.rawValue ^ 0x5d5d << 32)
      machine_fill(folio.address.rawValue + length, 0, 4096 - length)
      sum.add(folio.address.rawValue, length)
      folios.append(MemfdFolio(address: folio.address, pageIndex: page))
    }
    report(byteCount, sum.finish())
    let record = try handover.addMemfdRecord(byteSize: byteCount, folios: folios, from: &frames)
    try handover.addLiveUpdate(
      number: ledger.generation,
      sessions: [(name: "TinyKernel", files: [LiveUpdateFile(memfd: record, token: 1)])],
      from: &frames)
  }
}
