public import MemoryAccess
public import SystemPackage

/// The memory of the running system, read through `/proc/kcore` or `/dev/mem`.
///
/// It changes while it is read. Each answer is a copy; what was read a moment ago may be given again
/// as it was: to look anew, open it anew.
///
/// Source: proc(5), mem(4); Linux, fs/proc/kcore.c.
public struct LiveMemory: PhysicalMemory, Sendable {
  /// The file that is read.
  @nonexhaustive
  public enum Door: Hashable, Sendable {
    /// `/proc/kcore`.
    case kcore
    /// `/dev/mem`.
    case deviceMemory
  }

  /// The largest range, in bytes, that is read at once: 16 MiB.
  public static var largestGatheredByteCount: UInt64 { ELFCoreImage.largestGatheredByteCount }

  /// The file that is read.
  public let door: Door

  /// The machine; nil through `/dev/mem`, which does not say.
  public let machine: ELFMachine?

  /// The VMCOREINFO of the kernel; nil through `/dev/mem`.
  public let vmcoreInfo: [UInt8]?

  /// The number of bytes of memory.
  public let byteCount: UInt64

  /// The memory, sorted by address, without overlap.
  let segments: [ELFCoreImage.Segment]

  private let file: PositionedFile

  /// Opens the memory of the running system.
  ///
  /// - Parameter root: the directory in which `proc` and `dev` are.
  /// - Throws: why neither of the two files can be read.
  public init(root: FilePath = "/") throws(LiveMemoryError) {
    let reason: LiveMemoryError.KcoreReason
    do throws(LiveMemoryError.KcoreReason) {
      try self.init(kcore: root.appending("proc").appending("kcore"))
      return
    } catch {
      reason = error
    }
    do throws(LiveMemoryError.DeviceMemoryReason) {
      try self.init(
        deviceMemory: root.appending("dev").appending("mem"),
        map: root.appending("proc").appending("iomem"))
    } catch {
      throw LiveMemoryError(kcore: reason, deviceMemory: error)
    }
  }

  init(
    _ door: Door, _ file: PositionedFile, _ segments: [ELFCoreImage.Segment],
    machine: ELFMachine?, vmcoreInfo: [UInt8]?
  ) {
    self.door = door
    self.file = file
    self.segments = segments
    self.machine = machine
    self.vmcoreInfo = vmcoreInfo
    byteCount = segments.reduce(0) { $0 &+ $1.storedByteCount }
  }

  /// The page size in bytes that the kernel notes in its VMCOREINFO; nil as of an ELF core.
  public var vmcoreInfoPageByteCount: Int? {
    vmcoreInfo.flatMap { VMCoreInfo.pageByteCount(in: $0[...]) }
  }

  /// Whether every byte of `wanted` is memory.
  ///
  /// - Complexity: O(log *n* + *k*) for *n* segments, of which the range touches *k*.
  public func contains(_ wanted: PhysicalRange) -> Bool {
    forEachPart(of: wanted) { _, _ in true }
  }

  /// Calls `body` with a copy of the bytes of `wanted`, or gives nil when one of them cannot be read.
  ///
  /// A range larger than ``largestGatheredByteCount`` gives nil and has to be read in parts.
  ///
  /// - Complexity: O(bytes); a system call for each segment that is touched, unless it is kept.
  public func withBytes<Result: ~Copyable, Failure: Error>(
    in wanted: PhysicalRange, _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard wanted.byteCount <= Self.largestGatheredByteCount else { return nil }
    var bytes: [UInt8] = []
    let isRead = forEachPart(of: wanted) { segment, part in
      let offset = part.start.rawValue &- segment.range.start.rawValue
      guard offset <= segment.storedByteCount,
        part.byteCount <= segment.storedByteCount &- offset,
        let piece = file.bytes(at: segment.fileOffset &+ offset, count: Int(part.byteCount))
      else { return false }
      if bytes.isEmpty { bytes = piece } else { bytes += piece }
      return true
    }
    guard isRead else { return nil }
    return try bytes.withRawSpan(body)
  }

  /// The first run of memory at or after `address`, cut to start no earlier; nil if none exists.
  ///
  /// A long run comes in pieces of at most ``largestGatheredByteCount``.
  public func storedRange(atOrAfter address: PhysicalAddress) -> PhysicalRange? {
    for segment in segments[firstIndex(endingAtOrAfter: address)...] {
      guard let stored = segment.storedRange, let last = stored.last, last >= address else {
        continue
      }
      let start = max(address, stored.start)
      let count = last.rawValue &- start.rawValue &+ 1
      return PhysicalRange(start: start, byteCount: min(count, Self.largestGatheredByteCount))
    }
    return nil
  }

  /// How much is read at once where pages are looked through: 256 KiB, which stay in the processor's cache.
  private static var pieceByteCount: UInt64 { 256 << 10 }

  /// Calls `body` with each multiple of 4 KiB whose first four bytes, big-endian, are `word`.
  ///
  /// Reads without keeping anything, in large pieces: what a search through all memory takes.
  ///
  /// - Parameter word: the word.
  /// - Parameter body: called with what was found.
  /// - Parameter progress: called now and then with the number of bytes looked through.
  /// - Complexity: O(bytes); a system call for each 256 KiB. What cannot be read is left out.
  public func forEachPage(
    beginningWith word: UInt32, progress: (UInt64) -> Void = { _ in },
    _ body: (PhysicalAddress) -> Void
  ) {
    let pattern = word.bigEndian
    // Filled again and again: a new one each time would cost as much as what is read.
    var bytes = [UInt8](repeating: 0, count: Int(Self.pieceByteCount))
    var done: UInt64 = 0
    for segment in segments {
      var offset: UInt64 = 0
      while offset < segment.storedByteCount {
        let wanted = min(Self.pieceByteCount, segment.storedByteCount &- offset)
        let place = segment.range.start.advanced(byBytes: offset)
        let read = min(wanted, file.read(at: segment.fileOffset &+ offset, into: &bytes))
        // Up to the next multiple of 4 KiB.
        var index = Int(truncatingIfNeeded: (0 &- place.rawValue) & 4095)
        bytes.withRawSpan { bytes in
          while index &+ 4 <= Int(read) {
            if bytes.plainUInt32(atByte: index) == pattern {
              body(place.advanced(byBytes: UInt64(index)))
            }
            index &+= 4096
          }
        }
        // A page that cannot be read ends the piece early; the next one may be readable.
        let step = read < wanted ? (read / 4096 &+ 1) &* 4096 : wanted
        offset &+= step
        done &+= min(step, wanted)
        progress(done)
      }
    }
  }

  /// Calls `body` with each segment that contains a part of `wanted`, and with that part; false if a byte is in
  /// no segment, or `body` returns false.
  private func forEachPart(
    of wanted: PhysicalRange, _ body: (ELFCoreImage.Segment, PhysicalRange) -> Bool
  ) -> Bool {
    guard let last = wanted.last else { return true }
    var next = wanted.start
    for segment in segments[firstIndex(endingAtOrAfter: next)...] {
      guard segment.range.contains(next), let part = segment.range.intersection(wanted),
        let partLast = part.last
      else { return false }
      guard body(segment, part) else { return false }
      if partLast == last { return true }
      next = PhysicalAddress(partLast.rawValue &+ 1)
    }
    return false
  }

  private func firstIndex(endingAtOrAfter address: PhysicalAddress) -> Int {
    segments.partitioningIndex { $0.range.last.map { $0 >= address } ?? true }
  }
}

extension LiveMemoryError.KcoreReason: Error {}
extension LiveMemoryError.DeviceMemoryReason: Error {}
