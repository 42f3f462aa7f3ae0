import Handover
import Machine
import MemoryAccess
import PageAllocation
import PreservedPages

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
private func inspect(_ record: MemfdRecord, in memory: DirectMap) throws(RecordError) {
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
  /// Adds a session "TinyKernel" with one memfd, token 1, unless a session of Linux's comes along.
  mutating func addFileForLinux() throws(OutgoingHandoverError) {
    guard try handover.subtree(named: LiveUpdateRecord.subtreeName) == nil else { return }
    let byteCount: UInt64 = 300 * 4096 + 123
    let pageCount = (byteCount + 4095) / 4096
    var sum = SHA256()

    // The contents, page by page, and an array of (frame, flags; place in the file) for them.
    let list = try handover.allocatePreservedArea(
      blockCount: (pageCount * 16 + 4095) / 4096, from: &frames)
    var blocks = VmallocBlocks(list, in: memory, geometry: geometry)
    var page: UInt64 = 0
    while page < pageCount {
      let records = try nextBlock(&blocks)
      for place in 0..<min(256, pageCount - page) {
        let folio = try handover.allocatePreserved(.zero, from: &frames)
        let length = min(4096, byteCount - page * 4096)
        memory.fill(folio.range(in: geometry), from: folio.address.rawValue ^ 0x5d5d << 32)
        machine_fill(folio.address.rawValue + length, 0, 4096 - length)
        sum.add(folio.address.rawValue, length)
        let dirtyAndUpToDate: UInt64 = 3 << 52
        machine_store64(
          records.rawValue + 16 * place, folio.address.rawValue >> 12 | dirtyAndUpToDate)
        machine_store64(records.rawValue + 16 * place + 8, page)
        page += 1
      }
    }
    report(byteCount, sum.finish())

    // Each record in a page of its own: Linux frees them one by one.
    let memfd = try handover.allocatePreserved(.zero, from: &frames).address.rawValue
    machine_store64(memfd + 8, byteCount)
    machine_store64(memfd + 24, pageCount)
    memory.withMutableBytes(in: geometry.page(at: PhysicalAddress(memfd))) {
      list.write(to: &$0, atByte: 32)
    }
    let file = try handover.allocatePreserved(.zero, from: &frames).address.rawValue
    machine_store64(file + 8, 1)
    write("memfd-v2", at: file + 16)
    machine_store64(file + 16 + 48, memfd)
    machine_store64(file + 16 + 56, 1)
    let session = try handover.allocatePreserved(.zero, from: &frames).address.rawValue
    machine_store64(session + 8, 1)
    write("TinyKernel", at: session + 16)
    machine_store64(session + 16 + 64, file)
    machine_store64(session + 16 + 72, 1)
    let place = try handover.createSubtree(
      named: LiveUpdateRecord.subtreeName, byteCount: 32, from: &frames
    ) { _ in }
    write("luo-v5", at: place.start.rawValue)
    machine_store64(place.start.rawValue + 8, ledger.generation)
    machine_store64(place.start.rawValue + 16, session)
  }

  private func nextBlock(
    _ blocks: inout VmallocBlocks<DirectMap>
  ) throws(OutgoingHandoverError) -> PhysicalAddress {
    do throws(RecordError) {
      while let step = try blocks.next() {
        if case .block(let block) = step { return block.address }
      }
    } catch {
      throw .areaDamaged(error)
    }
    panic("an area has fewer blocks than were allocated")
  }

  private func write(_ text: StaticString, at address: UInt64) {
    text.withUTF8Buffer { bytes in
      // SAFETY: the indices are those of the buffer.
      for index in 0..<bytes.count { machine_store8(address + UInt64(index), unsafe bytes[index]) }
    }
  }
}
