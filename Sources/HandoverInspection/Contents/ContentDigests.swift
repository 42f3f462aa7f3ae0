import Handover
import MemoryAccess
import MemoryImages
import PreservedPages

/// Computes the digests of preserved files.
///
/// A record may say that its file has 2^63 bytes, and hundreds of records may say the same of a file
/// that fills memory. So the files together are read no further than a few times the image's size.
struct ContentDigests {
  private let memory: MemoryImage
  private var remainingByteCount: UInt64
  private let progress: (_ byteCount: UInt64) -> Void
  private var byteCount: UInt64 = 0
  private let zeros = [UInt8](repeating: 0, count: 1 << 16)
  /// Digests by the address of the record, of as many files as ``knownLimit``: hostile sessions may list one file
  /// often.
  private var known: [UInt64: String?] = [:]
  private static let knownLimit = 1 << 16

  /// What zeros a sparse file may have beyond the size of the image, in bytes.
  private static let slack: UInt64 = 1 << 30

  init(_ memory: MemoryImage, _ progress: @escaping (_ byteCount: UInt64) -> Void) {
    self.memory = memory
    let (twice, overflow) = memory.byteCount.multipliedReportingOverflow(by: 2)
    remainingByteCount = overflow ? .max : twice &+ min(Self.slack, .max - twice)
    self.progress = progress
  }

  /// The SHA-256 of the content of `file`; nil of other files than memfds, and where it cannot be read, or is longer
  /// than is read.
  mutating func digest(of file: FileContents, _ pages: PreservedPagesSurvey) -> String? {
    guard let memfd = file.memfd, file.error == nil else { return nil }
    if let digest = known[file.file.data] { return digest }
    let digest = digest(of: memfd.record, pages)
    if known.count < Self.knownLimit { known.updateValue(digest, forKey: file.file.data) }
    return digest
  }

  /// The SHA-256 of the content of `record`; nil where it cannot be read, or is longer than is read.
  private mutating func digest(of record: MemfdRecord, _ pages: PreservedPagesSurvey) -> String? {
    guard record.byteSize <= remainingByteCount else { return nil }
    remainingByteCount -= record.byteSize
    var hash = SHA256()
    var reader = PieceReader(memory)
    var extents = MemfdExtents(of: record, pages, in: memory)
    do throws(RecordError) {
      while let extent = try extents.next() {
        switch extent {
        case .stored(let range):
          _ = try reader.forEachPiece(of: range) { bytes in
            hash.append(bytes)
            report(bytes.byteCount)
            return true
          }
        case .zeros(let byteCount): appendZeros(byteCount, to: &hash)
        }
      }
    } catch {
      return nil
    }
    return hash.digest()
  }

  private mutating func appendZeros(_ byteCount: UInt64, to hash: inout SHA256) {
    var remaining = byteCount
    while remaining > 0 {
      let count = Int(min(remaining, UInt64(zeros.count)))
      zeros.withRawSpan { hash.append($0.extracting(0..<count)) }
      report(count)
      remaining -= UInt64(count)
    }
  }

  private mutating func report(_ count: Int) {
    byteCount += UInt64(count)
    progress(byteCount)
  }
}
