import Handover
import MemoryAccess
import MemoryImages
import SystemPackage

/// The running system: its memory, and the handovers that its kernel shows.
struct LiveSystem {
  /// The directory in which `proc`, `sys` and `dev` lie.
  let root: FilePath

  /// Opens the memory.
  func memory() throws(LiveSystemError) -> LiveMemory {
    do throws(LiveMemoryError) { return try LiveMemory(root: root) } catch { throw .memory(error) }
  }

  /// The page size of the process, which is the kernel's.
  var pageSize: PageGeometry? {
    PageSizeDeduction.candidates.first { $0.pageByteCount == systemPageByteCount }
  }

  /// The root device trees of the handover that this kernel got, if it got one, and of the one that it
  /// prepares, if it prepares one: where they lie, if that can be told, or else their bytes.
  func sources(in memory: LiveMemory) throws(LiveSystemError) -> [HandoverSurvey.Source] {
    let folder = try debugFolder().appending("kho")
    let incoming = try deviceTree(folder.appending("in"))
    let outgoing = try deviceTree(folder.appending("out"))
    guard incoming != nil || outgoing != nil else { throw reason(folder) }
    var sources: [HandoverSurvey.Source] = []
    if let incoming {
      let address = incomingAddress()
      let isThere = address.map { memory.holds(incoming, at: $0) } ?? false
      sources.append(isThere ? .memory(address ?? .zero) : .bytes(incoming))
    }
    if let outgoing {
      let address = addressAmongPreserved(of: outgoing, in: memory)
      sources.append(address.map { .memory($0) } ?? .bytes(outgoing))
    }
    return sources
  }

  /// Where debugfs is mounted, as `/proc/mounts` says.
  private func debugFolder() throws(LiveSystemError) -> FilePath {
    guard let mounts = try? SmallFile.read(path("proc/mounts"), atMost: 1 << 20) else {
      return path("sys/kernel/debug")
    }
    for line in mounts.split(separator: UInt8(ascii: "\n")) {
      let fields = line.split(separator: UInt8(ascii: " "))
      guard fields.count > 2, fields[2].elementsEqual("debugfs".utf8) else { continue }
      return path(String(decoding: fields[1].drop { $0 == UInt8(ascii: "/") }, as: UTF8.self))
    }
    throw .debugfsNotMounted
  }

  /// The bytes of `fdt` in a folder of debugfs; nil where there is none.
  private func deviceTree(_ folder: FilePath) throws(LiveSystemError) -> [UInt8]? {
    let path = folder.appending("fdt")
    let limit = Int(RootDeviceTree.largestByteCount)
    let read: [UInt8]?
    do throws(MemoryImageError) {
      read = try SmallFile.read(path, atMost: limit)
    } catch {
      switch error {
      case .cannotOpen(.noSuchFileOrDirectory): return nil
      case .cannotOpen(.permissionDenied), .cannotOpen(.notPermitted),
        .cannotRead(.permissionDenied), .cannotRead(.notPermitted):
        throw .deviceTreeRefused(path)
      default: throw .deviceTreeUnreadable(path, error)
      }
    }
    guard let read else { throw .deviceTreeTooLarge(path, limit: limit) }
    // An empty file: there is nothing to show yet.
    return read.isEmpty ? nil : read
  }

  /// Why debugfs shows no handover.
  private func reason(_ folder: FilePath) -> LiveSystemError {
    do throws(MemoryImageError) {
      _ = try SmallFile.read(folder, atMost: 0)
    } catch .cannotOpen(.noSuchFileOrDirectory) {
      return .handoverFolderMissing(folder)
    } catch {
      // A folder is opened, and not read.
    }
    return .noHandoverYet(folder)
  }

  private func path(_ relative: String) -> FilePath { root.pushing(FilePath(relative)) }
}

extension LiveMemory {
  /// Whether `bytes` lie at `address`.
  func holds(_ bytes: [UInt8], at address: PhysicalAddress) -> Bool {
    guard
      let range = PhysicalRange(checkedStart: address, byteCount: UInt64(bytes.count))
    else { return false }
    return withBytes(in: range) { $0.copiedBytes() } == bytes
  }
}
