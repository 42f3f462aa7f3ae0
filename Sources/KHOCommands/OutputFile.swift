internal import SystemPackage

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// Files that a command writes: whole or not at all.
enum OutputFile {
  /// Writes `bytes` to `path`, over what was there.
  ///
  /// They go to a file beside it first, which then takes its name, so that whoever reads `path` finds
  /// the old bytes or the new ones.
  ///
  /// - Throws: `CommandFailure` with what the operating system says.
  static func write(_ bytes: [UInt8], to path: String) throws(CommandFailure) {
    let temporary = FilePath("\(path).\(getpid()).part")
    do throws(Errno) {
      try writeAll(bytes, to: temporary)
      // SAFETY: both are strings with an end, which live through the call.
      let status = unsafe temporary.withPlatformString { from in
        unsafe FilePath(path).withPlatformString { unsafe rename(from, $0) }
      }
      guard status == 0 else { throw Errno(rawValue: errno) }
    } catch {
      // SAFETY: as above. Where it was never made there is nothing to remove.
      _ = unsafe temporary.withPlatformString { unsafe unlink($0) }
      throw .badInput("\(path): could not be written: \(error)")
    }
  }

  private static func writeAll(_ bytes: [UInt8], to path: FilePath) throws(Errno) {
    do {
      let file = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .exclusiveCreate],
        permissions: [.ownerReadWrite, .groupRead, .otherRead])
      try file.closeAfter { _ = try file.writeAll(bytes) }
    } catch let error as Errno {
      throw error
    } catch {
      preconditionFailure("the system failed without a number")
    }
  }
}
