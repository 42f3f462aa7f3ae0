package import Handover
package import MemoryAccess
package import MemoryImages
package import ProcessHandover
import SystemPackage

/// An image, and where in it handovers are, before they are read.
package struct FoundHandovers {
  package let name: String
  package let memory: MemoryImage
  /// The superblock of a memory file, and what it says about its handover; nil for other images.
  package let memoryFile: MemoryContents?
  private let found: Search
  /// The page size that the user gave or the kernel recorded, which need not be deduced; nil if it is unknown.
  package let knownGeometry: PageGeometry?
  private let surveyOptions: HandoverSurvey.Options

  /// What was found in the memory.
  private struct Search {
    var sources: [HandoverSurvey.Source] = []
    /// How many root device trees were found beyond those that are read.
    var omittedCount: UInt64 = 0
    var notes: [HandoverImage.ReadingNote] = []
    var otherRoots: [HandoverImage.OtherRoot] = []
    var scratch: [PhysicalRange] = []
  }

  /// Opens the image, and finds the handovers.
  package init(
    in source: HandoverImage.Source, _ options: HandoverImage.Options,
    _ progress: HandoverImage.SearchProgress
  ) throws(HandoverImageError) {
    name = source.name
    (memory, memoryFile) = try HandoverImage.openMemory(source, options: options)
    var geometry = options.pageSize ?? memoryFile?.superblock.geometry ?? memory.notedPageSize
    if case .runningSystem(let root) = source, geometry == nil {
      geometry = LiveSystem(root: root).pageSize
    }
    found = try Self.search(source, memory, memoryFile, options, geometry, progress)
    guard !found.sources.isEmpty else {
      if !found.otherRoots.isEmpty { throw .onlyMemoryFiles(count: found.otherRoots.count) }
      throw memory.shortfall.map { .noHandoverInPart($0) } ?? .noHandover
    }
    knownGeometry = geometry
    var surveyOptions = HandoverSurvey.Options()
    surveyOptions.chunkBitmapSize = options.chunkBitmapSize
    self.surveyOptions = surveyOptions
  }

  private static func search(
    _ source: HandoverImage.Source, _ memory: MemoryImage, _ memoryFile: MemoryContents?,
    _ options: HandoverImage.Options, _ geometry: PageGeometry?,
    _ progress: HandoverImage.SearchProgress
  ) throws(HandoverImageError) -> Search {
    var found = Search()
    found.scratch = options.scratch
    if case .runningSystem(let root) = source, found.scratch.isEmpty {
      found.scratch = LiveSystem(root: root).scratch
    }
    switch options.deviceTree {
    case .file(let path):
      found.sources = [try cutOrWhole(readDeviceTree(path), in: memory, geometry, &found.notes)]
      return found
    case .address(let address):
      found.sources = [.memory(address)]
      return found
    case .searched: break
    }
    if let memoryFile {
      let state = memoryFile.superblock.state
      guard state.deviceTree != .zero else { throw .memoryFileWithoutHandover }
      found.sources = [state.deviceTree, state.nextDeviceTree].filter { $0 != .zero }.map {
        .memory($0)
      }
      return found
    }
    if case .runningSystem(let root) = source, case .live(let memory) = memory {
      do throws(LiveSystemError) {
        found.sources = try LiveSystem(root: root).sources(in: memory, &found.notes, progress)
      } catch {
        throw .runningSystem(error)
      }
      return found
    }
    let scanner = HandoverScanner(memory) { progress($0, memory.byteCount) }
    found.omittedCount = scanner.omittedCount
    let roots = RootSorting(
      scanner, in: memory, geometry: geometry ?? memory.machinePageSize ?? .pages4KiB)
    found.otherRoots = roots.others
    if found.scratch.isEmpty {
      found.scratch =
        scanner.bootAnchors.lazy.compactMap {
          $0.scratchAreas(ofHandoversAt: scanner.addresses, in: memory)
        }.first ?? []
    }
    found.sources = roots.own.map { .memory($0) }
    return found
  }

  /// The handover of a root device tree of which a file holds all bytes, or the first: then the whole is
  /// looked for among the entries.
  private static func cutOrWhole(
    _ bytes: [UInt8], in memory: MemoryImage, _ geometry: PageGeometry?,
    _ notes: inout [HandoverImage.ReadingNote]
  ) -> HandoverSurvey.Source {
    guard let head = DeviceTreeHead(cut: bytes) else { return .bytes(bytes) }
    let candidates =
      (geometry ?? memory.machinePageSize).map { [$0] } ?? PageSizeDeduction.candidates
    for geometry in candidates {
      let source = HandoverSurvey.Source.deviceTree(bytes, in: memory, geometry: geometry)
      if case .memory = source { return source }
    }
    notes.append(.deviceTreeCut(byteCount: bytes.count))
    return .bytes(head.deviceTree)
  }

  private static func readDeviceTree(_ path: FilePath) throws(HandoverImageError) -> [UInt8] {
    let limit = Int(RootDeviceTree.largestByteCount)
    do throws(MemoryImageError) {
      if let bytes = try SmallFile.read(path, atMost: limit) { return bytes }
    } catch {
      throw .deviceTreeFile(path, error)
    }
    throw .deviceTreeFileTooLarge(path, limit: limit)
  }

  /// Reads the handovers in `memory`, which shows what the image holds.
  ///
  /// - Returns: the surveys, and whether the page size is known or could be deduced.
  func surveys(
    in memory: some PhysicalMemory
  ) -> (surveys: [HandoverSurvey], isPageSizeKnown: Bool) {
    if let geometry = knownGeometry {
      let surveys = found.sources.map {
        HandoverSurvey($0, in: memory, geometry: geometry, options: surveyOptions)
      }
      return (surveys, true)
    }
    let hint = self.memory.machinePageSize
    let (surveys, isDeduced) = PageSizeDeduction.surveys(
      found.sources, in: memory, hint: hint, options: surveyOptions)
    return (surveys, isDeduced || hint != nil)
  }

  /// Reads the handovers.
  func loaded() -> HandoverImage {
    // That of a memory file is read already, and nothing of it may be behind its memory.
    if let known = memoryFile?.survey, known.geometry == knownGeometry {
      return loaded(
        found.sources.map { source in
          source == .memory(known.address ?? .zero)
            ? known : HandoverSurvey(source, in: memory, geometry: known.geometry)
        })
    }
    let (surveys, isPageSizeKnown) = surveys(in: memory)
    return loaded(surveys, isPageSizeKnown: isPageSizeKnown)
  }

  /// The image with its handovers, which are read already.
  package func loaded(
    _ surveys: [HandoverSurvey], isPageSizeKnown: Bool = true
  ) -> HandoverImage {
    HandoverImage(
      name: name, memory: memory, surveys: surveys, isPageSizeKnown: isPageSizeKnown,
      omittedHandoverCount: found.omittedCount, memoryFile: memoryFile, notes: found.notes,
      scratch: found.scratch, otherRoots: found.otherRoots)
  }
}

extension HandoverImage {
  /// Opens the memory of an image without looking for handovers in it.
  ///
  /// - Returns: the memory, and, for a memory file, which carries its own addresses, what its
  ///   superblock says.
  /// - Throws: ``HandoverImageError`` when it cannot be opened.
  package static func openMemory(
    _ source: Source, options: Options = Options()
  ) throws(HandoverImageError) -> (memory: MemoryImage, memoryFile: MemoryContents?) {
    switch source {
    case .runningSystem(let root):
      do throws(LiveSystemError) { return (.live(try LiveSystem(root: root).memory()), nil) } catch
      {
        throw .runningSystem(error)
      }
    case .file(let path):
      if options.rawPlacement == nil, !options.isRaw, options.parts.isEmpty,
        let file = MemoryImage.memoryFile(at: path)
      {
        do throws(MemoryContentsError) {
          return (file, try MemoryContents(reading: file))
        } catch {
          throw .memoryFile(error)
        }
      }
      do throws(MemoryImageError) {
        return (try MemoryImage.open(path, options), nil)
      } catch {
        throw .image(error)
      }
    }
  }
}

extension HandoverImage.Source {
  /// The path of the image; `live` for the running system.
  package var name: String {
    switch self {
    case .file(let path): path.string
    case .runningSystem: "live"
    }
  }
}

extension MemoryImage {
  /// The page size that the kernel noted in the image.
  fileprivate var notedPageSize: PageGeometry? {
    PageSizeDeduction.candidates.first { $0.pageByteCount == vmcoreInfoPageByteCount }
  }

  /// The page size of the machine, where it has only one.
  fileprivate var machinePageSize: PageGeometry? { machine == .x86_64 ? .pages4KiB : nil }

  /// The file at `path`, read as `options` have it.
  fileprivate static func open(
    _ path: FilePath, _ options: HandoverImage.Options
  ) throws(MemoryImageError) -> MemoryImage {
    if options.isRaw {
      return try openRaw(path, options.rawPlacement ?? .layout(RawLayout(base: .zero)))
    }
    return options.parts.isEmpty
      ? try open(path, raw: options.rawPlacement) : try openParts([path] + options.parts)
  }

  /// The file at `path` where it begins like a memory file; nil for any other file, and for one that
  /// cannot be opened: opening it as an image finds out why.
  fileprivate static func memoryFile(at path: FilePath) -> MemoryImage? {
    guard let file = try? openRaw(path), SuperblockContents.isMemoryFile(file) else { return nil }
    return file
  }
}
