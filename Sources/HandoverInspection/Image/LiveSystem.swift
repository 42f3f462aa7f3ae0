import Handover
import MemoryAccess
import MemoryImages
import SystemPackage

/// The running system: its memory, and the handovers that its kernel shows.
struct LiveSystem {
  /// The directory in which `proc`, `sys` and `dev` are.
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
  /// prepares, if it prepares one: where they are stored, if that can be found out, or else their bytes.
  ///
  /// A handover that this kernel got is left out once its memory is used for something else, which is
  /// so soon after the start: that is not damage, and `notes` says so.
  ///
  /// - Parameter progress: called while memory is searched, which is needed where the kernel does not
  ///   show the handover that it prepares.
  func sources(
    in memory: LiveMemory, _ notes: inout [HandoverImage.ReadingNote],
    _ progress: HandoverImage.SearchProgress
  ) throws(LiveSystemError) -> [HandoverSurvey.Source] {
    let folder = try debugFolder().appending("kho")
    let incoming = try deviceTree(folder.appending("in"))
    let outgoing = try deviceTree(folder.appending("out"))
    let isSearched = outgoing == nil && preparesUnseen(folder)
    guard incoming != nil || outgoing != nil || isSearched else { throw reason(folder) }
    var sources: [HandoverSurvey.Source] = []
    var received: PhysicalAddress?
    if let incoming {
      received = incomingAddress()
      if let source = incomingSource(incoming, at: received, in: memory) {
        sources.append(source)
      } else {
        notes.append(.incomingUsedUp(received))
      }
    }
    if let outgoing {
      sources.append(outgoingSource(outgoing, in: memory))
    } else if isSearched {
      let found = searchedRoots(in: memory, progress).filter { $0 != received }
      if found.isEmpty && sources.isEmpty { throw .outgoingNotFound(folder) }
      sources += found.map { .memory($0) }
    }
    return sources
  }

  /// The scratch areas of the handover that this kernel prepares; nil if debugfs does not show their sizes.
  var currentScratch: CurrentScratch? {
    guard let folder = try? debugFolder().appending("kho/out") else { return nil }
    func bytes(_ name: FilePath.Component) -> [UInt8]? {
      try? SmallFile.read(folder.appending(name), atMost: CurrentScratch.byteLimit)
    }
    guard let lengths = bytes("scratch_len") else { return nil }
    return CurrentScratch(lengths: lengths, addresses: bytes("scratch_phys"))
  }

  /// The scratch areas whose addresses debugfs shows too.
  var scratch: [PhysicalRange] {
    (currentScratch?.areas ?? []).compactMap { area in
      area.address.flatMap { PhysicalRange(checkedStart: $0, byteCount: area.byteCount) }
    }
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

  /// The bytes of `fdt` in a folder of debugfs; nil if the folder does not contain it, or it is empty.
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
    // The kernel has nothing to show yet.
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
