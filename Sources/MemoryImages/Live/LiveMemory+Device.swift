internal import MemoryAccess
internal import SystemPackage

extension LiveMemory {
  /// Reads `/dev/mem`, in which a byte's place is its address, where `/proc/iomem` shows memory.
  init(
    deviceMemory path: FilePath, map: FilePath
  ) throws(LiveMemoryError.DeviceMemoryReason) {
    let file: PositionedFile
    do throws(Errno) {
      file = try PositionedFile(opening: path)
    } catch {
      throw error == .noSuchFileOrDirectory ? .missing : .refused(error)
    }
    let text: [UInt8]
    do throws(MemoryImageError) {
      text = try SmallFile.read(map, atMost: 1 << 20) ?? []
    } catch {
      switch error {
      case .cannotOpen(let errno), .cannotRead(let errno): throw .mapRefused(errno)
      default: throw .mapHidden
      }
    }
    let ranges = MemoryMap(Self.systemMemory(in: text))
    let segments = ranges.ranges.enumerated().map { index, range in
      ELFCoreImage.Segment(
        index: index, range: range, storedByteCount: range.byteCount,
        fileOffset: range.start.rawValue)
    }
    // One byte, for everybody without the right to see addresses.
    guard segments.contains(where: { $0.range.byteCount > 1 }) else { throw .mapHidden }
    // Strict kernels give the first MiB, and of the rest nothing.
    let beyond = segments.first { $0.range.start.rawValue >= 1 << 20 } ?? segments[0]
    guard file.bytes(at: beyond.fileOffset, count: 8) != nil else { throw .strict }
    self.init(.deviceMemory, file, segments, machine: nil, vmcoreInfo: nil)
  }

  /// The lines "FIRST-LAST : System RAM" that are not indented, addresses in hexadecimal.
  private static func systemMemory(in text: [UInt8]) -> [PhysicalRange] {
    text.split(separator: UInt8(ascii: "\n")).compactMap { line in
      let line = String(decoding: line, as: UTF8.self)
      guard line.hasSuffix(" : System RAM"), !line.hasPrefix(" ") else { return nil }
      let ends = line.prefix { $0 != " " }.split(separator: "-")
      guard ends.count == 2, let first = UInt64(ends[0], radix: 16),
        let last = UInt64(ends[1], radix: 16), first <= last, last < .max
      else { return nil }
      return PhysicalRange(start: PhysicalAddress(first), byteCount: last - first + 1)
    }
  }
}
