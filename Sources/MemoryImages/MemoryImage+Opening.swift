internal import Decompression
public import MemoryAccess
public import SystemPackage

extension MemoryImage {
  /// Opens the file at `path`, finding out its format from its first bytes.
  ///
  /// A file that is compressed as a whole is decompressed into a temporary file without a name.
  ///
  /// - Parameter path: the path of the file.
  /// - Parameter base: the physical address of the first byte, for raw memory; files of other formats
  ///   carry their own addresses.
  /// - Throws: as ``open(_:raw:)``.
  public static func open(
    _ path: FilePath, base: PhysicalAddress?
  ) throws(MemoryImageError) -> MemoryImage {
    try open(path, raw: base.map { .layout(RawLayout(base: $0)) })
  }

  /// Opens the file at `path`, finding out its format from its first bytes.
  ///
  /// Nothing is taken for raw memory unless `raw` says where it is.
  ///
  /// - Parameter path: the path of the file.
  /// - Parameter raw: where raw memory is; nil where the file is not raw memory.
  /// - Throws: `baseAddressMissing` for a file of no known format without a placement;
  ///   `baseAddressUnexpected`, `rangesCarryAddresses` and `dumpCarriesAddresses` for a file that has
  ///   addresses and is given a placement; `foreign` for a file of a kind that is known and not read; what the
  ///   initializers of ``RawImage``, ``ELFCoreImage``, ``LiMEImage``, ``AVMLImage`` and ``KdumpImage``
  ///   throw; `cannotDecompress`, `decompressedTooLarge`, `cannotCreateTemporary` and
  ///   `cannotWriteTemporary` for a compressed file.
  /// - Complexity: as those; O(bytes) of a file that is compressed as a whole.
  public static func open(
    _ path: FilePath, raw: RawPlacement?
  ) throws(MemoryImageError) -> MemoryImage {
    try open(try MappedFile(opening: path), raw, isDecompressed: false)
  }

  /// Opens the file at `path` as raw memory, whatever it begins with.
  ///
  /// - Throws: what ``RawImage/init(opening:_:)`` throws.
  /// - Complexity: as that.
  public static func openRaw(
    _ path: FilePath, _ placement: RawPlacement = .layout(RawLayout(base: .zero))
  ) throws(MemoryImageError) -> MemoryImage {
    let file = try MappedFile(opening: path)
    return .raw(try RawImage(file, placement.layout(fileByteCount: file.byteCount)))
  }

  /// Opens the parts of a dump that `makedumpfile --split` wrote, in any order.
  ///
  /// - Throws: what ``KdumpImage/init(openingParts:)`` throws.
  /// - Complexity: as that.
  public static func openParts(_ paths: [FilePath]) throws(MemoryImageError) -> MemoryImage {
    .kdump(try KdumpImage(openingParts: paths))
  }

  private static func open(
    _ file: MappedFile, _ raw: RawPlacement?, isDecompressed: Bool
  ) throws(MemoryImageError) -> MemoryImage {
    let start = file.copiedBytes(at: 0, count: ForeignFormat.signatureByteCount)
    if start.littleEndian32(at: 0) == ELFHeader.magic {
      guard raw == nil else { throw .baseAddressUnexpected }
      return .elf(try ELFCoreImage(file))
    }
    // makedumpfile: diskdump_mod.h and makedumpfile.h.
    if KdumpImage.isDump(start) {
      guard raw == nil else { throw .dumpCarriesAddresses }
      return .kdump(try KdumpImage(file))
    }
    if start.starts(with: LiMEImage.signature) || start.starts(with: AVMLImage.signature) {
      guard raw == nil else { throw .rangesCarryAddresses }
      return start.starts(with: AVMLImage.signature)
        ? .avml(try AVMLImage(file)) : .lime(try LiMEImage(file))
    }
    // Compressed twice: the second time is the user's.
    if !isDecompressed, let compression = StreamCompression(startingWith: start) {
      return try open(
        try DecompressedFile.decompress(file, compression), raw, isDecompressed: true)
    }
    if let format = ForeignFormat(startingWith: start) { throw .foreign(format) }
    guard let raw else { throw .baseAddressMissing }
    return .raw(try RawImage(file, raw.layout(fileByteCount: file.byteCount)))
  }
}
