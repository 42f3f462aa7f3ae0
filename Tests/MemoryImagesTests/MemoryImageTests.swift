import Decompression
import Foundation
import MemoryAccess
import MemoryImages
import SystemPackage
import Testing

@Suite struct MemoryImageTests {
  private func expect(
    _ error: MemoryImageError, from bytes: [UInt8], base: PhysicalAddress? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let file = try TemporaryFile(bytes)
    #expect(throws: error, sourceLocation: sourceLocation) {
      try MemoryImage.open(file.path, base: base)
    }
  }

  @Test func formats() throws {
    var builder = ELFBuilder()
    builder.segments = [.init(address: 0x1000, bytes: [1])]
    let elf = try TemporaryFile(builder.built())
    guard case .elf = try MemoryImage.open(elf.path, base: nil) else {
      Issue.record("not taken as ELF")
      return
    }
    let raw = try TemporaryFile([1, 2, 3])
    guard case .raw(let image) = try MemoryImage.open(raw.path, base: PhysicalAddress(0x1000))
    else {
      Issue.record("not taken as raw")
      return
    }
    #expect(image.range == range(0x1000, 3))
    try expect(.baseAddressUnexpected, from: builder.built(), base: .zero)
    try expect(.baseAddressMissing, from: [1, 2, 3])
  }

  @Test func signatures() throws {
    for signature in ["KDUMP   \u{6}", "DISKDUMP", "makedumpfile\0\0\0\0"] {
      let bytes = Array(signature.utf8)
      let error =
        signature == "DISKDUMP"
        ? KdumpError.isDiskdump : .headerTruncated(fileByteCount: UInt64(bytes.count))
      try expect(.kdump(error), from: bytes)
      try expect(.dumpCarriesAddresses, from: bytes, base: .zero)
    }
    try expect(.baseAddressMissing, from: Array("KDUMP".utf8))
  }

  @Test func whatIsNoFile() throws {
    let directory = FilePath(FileManager.default.temporaryDirectory.path)
    #expect(throws: MemoryImageError.isDirectory) { try MemoryImage.open(directory, base: nil) }
    let missing = directory.appending("memory-image-\(UUID().uuidString)")
    #expect(throws: MemoryImageError.cannotOpen(.noSuchFileOrDirectory)) {
      try MemoryImage.open(missing, base: nil)
    }
    #expect(throws: MemoryImageError.notRegularFile) {
      try MemoryImage.open("/dev/null", base: .zero)
    }
    // A pipe without a writer would block a plain open(2).
    // SAFETY: the call reads a path that lives as long as it.
    try #require(unsafe mkfifo(missing.string, 0o600) == 0)
    defer { try? FileManager.default.removeItem(atPath: missing.string) }
    #expect(throws: MemoryImageError.notRegularFile) { try MemoryImage.open(missing, base: .zero) }
    try expect(.emptyFile, from: [], base: .zero)
  }

  @Test func everyErrorIsOneSentence() {
    let address = PhysicalAddress(0xabc000)
    var errors: [MemoryImageError] = [
      .cannotOpen(.permissionDenied), .cannotInspect(.ioError), .isDirectory, .notRegularFile,
      .emptyFile, .cannotMap(byteCount: 5, .noMemory), .cannotAllocate(byteCount: 5, .noMemory),
      .baseAddressMissing, .baseAddressUnexpected,
      .rawImageBeyondAddressSpace(base: address, byteCount: 5), .dumpCarriesAddresses,
      .elfMagicMissing, .elfClassUnsupported(1), .elfByteOrderUnsupported(2),
      .elfHeaderTruncated(fileByteCount: 5), .elfProgramHeaderSizeUnsupported(byteCount: 5),
      .elfProgramHeadersBeyondEndOfFile(fileOffset: 5, count: 6, fileByteCount: 7),
      .elfSectionHeaderBeyondEndOfFile(fileOffset: 5, fileByteCount: 7), .elfNoLoadSegments,
      .elfSegmentBeyondEndOfFile(
        segment: 1, fileOffset: 5, storedByteCount: 6, fileByteCount: 7),
      .elfSegmentStoresMoreThanItHolds(segment: 1, storedByteCount: 5, memoryByteCount: 6),
      .elfSegmentBeyondAddressSpace(segment: 1, address: address, memoryByteCount: 6),
      .elfSegmentsOverlapInMemory(first: 1, second: 2, address: address),
      .elfSegmentsOverlapInFile(first: 1, second: 2, fileOffset: 5), .rangesCarryAddresses,
      .rawPartsOverlap(firstOffset: 1, secondOffset: 2, address: address),
      .rawPartBeyondEndOfFile(fileOffset: 5, fileByteCount: 4),
      .cannotDecompress(.zstd, .windowTooLarge(byteCount: 5, limit: 4)),
      .decompressedTooLarge(storedByteCount: 5), .cannotCreateTemporary(.permissionDenied),
      .cannotWriteTemporary(.noSpace), .rangeHeaderWrong(fileOffset: 5),
      .chunkWrong(fileOffset: 5, .checksumWrong), .rangesOverlap(address: address),
      .tooManyRanges(limit: 5),
    ]
    errors += ForeignFormat.allCases.map { .foreign($0) }
    let dumpErrors: [KdumpError] = [
      .headerTruncated(fileByteCount: 5), .isDiskdump, .machineUnsupported, .versionUnsupported(7),
      .blockSizeUnsupported(byteCount: 5), .isSplit(firstPage: 5, endPage: 6),
      .partsDiffer(firstPage: 5),
      .bitmapsBeyondEndOfFile(fileOffset: 5, byteCount: 6, fileByteCount: 7),
      .bitmapsTooShort(bitCount: 5, pageCount: 6), .beyondAddressSpace(pageCount: 5),
      .flattenedVersionUnsupported(type: 5, version: 6),
      .flattenedPieceWrong(fileOffset: 5), .flattenedTooScattered(limit: 5), .flattenedIsNoDump,
    ]
    errors += dumpErrors.map { .kdump($0) }
    for error in errors {
      let text = error.description
      #expect(text.hasSuffix(".") && !text.contains("\n") && text.count < 280, "\(text)")
      #expect(text != "The memory image cannot be read.")
      #expect(text != "The compressed dump cannot be read.")
      #expect(!text.dropLast().contains(". "), "\(text)")
    }
    #expect(Set(errors.map(\.description)).count == errors.count)
  }
}
