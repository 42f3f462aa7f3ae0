import MemoryAccess
import ProcessHandover
import SystemPackage

/// Backs a memory file in `folder` page by page, and writes each, until the file system is full.
///
/// Prints how many bytes that were, and then what is left where one page was given back.
func fill(_ folder: FilePath) throws {
  let file = try MemoryFile.create(.path(folder.appending("memory")), byteCount: 1 << 30)
  func backed(_ address: UInt64) throws -> Bool {
    let page = PhysicalRange(start: PhysicalAddress(address), byteCount: 4096)
    do {
      try file.back(page)
    } catch MemoryFileError.outOfSpace {
      return false
    }
    file.withMutableBytes(in: page) { bytes in
      for offset in 0..<bytes.byteCount {
        bytes.storeBytes(of: 0xa5, toByteOffset: offset, as: UInt8.self)
      }
    }
    return true
  }
  var end: UInt64 = 0
  while try end < file.byteCount && backed(end) { end += 4096 }
  print(end)
  try file.release(PhysicalRange(start: PhysicalAddress(4096), byteCount: 4096))
  print(try backed(end), try backed(end + 4096))
}
