internal import KexecHandover
internal import Platform
internal import SystemPackage

/// What is known before a kernel update.
struct Rehearsal {
  /// One line for each check, and what is to be known besides.
  private(set) var lines: [String] = []
  private(set) var failureCount = 0
  /// The command line of the next kernel.
  let commandLine: String

  private let root: FilePath

  init(_ command: Update) throws(CommandFailure) {
    root = command.liveRoot.folder
    if let append = command.append {
      commandLine = append
    } else {
      commandLine = try Self.runningCommandLine(root)
    }
    let image = handover()
    let kernel = try bootable(command.kernel)
    compareFormats(image, kernel)
    checkCommandLine()
    try checkRoom(kernel, command.initramfs)
    if !SystemCalls.exists(root.pushing("dev/liveupdate")) {
      note(
        "live update",
        "there is no /dev/liveupdate: files do not survive, only what kernel code preserves")
    } else {
      note(
        "live update",
        "the files of open sessions survive; the kernel writes its list of sessions at the start of the next one, "
          + "so they are not listed here")
    }
  }

  // MARK: The checks

  /// The handover that the running kernel prepares.
  private mutating func handover() -> HandoverImage? {
    let image: HandoverImage
    do throws(HandoverImageError) {
      image = try HandoverImage.open(.runningSystem(root: root))
    } catch {
      fail("handover", error.sentence)
      return nil
    }
    // The outgoing one comes last.
    guard let survey = image.surveys.last else { return nil }
    let records = survey.checkRecords(in: image.memory)
    let errors =
      image.errorCount(of: survey) + UInt64(records.findings.count { $0.severity == .error })
    let title = survey.address.map { "at \($0)" } ?? "of the given device tree"
    guard errors == 0, let pages = survey.pages else {
      fail("handover", "\(title): \(countText(errors, "error")); see kho check --live")
      return image
    }
    pass(
      "handover",
      "\(title), sound: \(byteText(pages.preservedByteCount)) in \(countText(pages.entryCount, "entry", "entries"))"
    )
    return image
  }

  /// The file of the next kernel.
  private mutating func bootable(_ path: String) throws(CommandFailure) -> KernelFile? {
    let bytes: [UInt8]?
    do throws(MemoryImageError) {
      bytes = try SmallFile.read(FilePath(path), atMost: 1 << 30)
    } catch {
      throw .badInput("\(path): \(error.sentence)")
    }
    guard let bytes, let kernel = KernelFile(bytes) else {
      fail("kernel", "\(path) is not a bzImage of x86-64 of boot protocol 2.12 or newer")
      return nil
    }
    pass("kernel", "\(path): \(printable(kernel.version))")
    return kernel
  }

  /// What the next kernel reads of what this one writes.
  private mutating func compareFormats(_ image: HandoverImage?, _ kernel: KernelFile?) {
    guard let image, let survey = image.surveys.last, let kernel else { return }
    guard let name = FormatCatalogue.releaseName(kernel.version),
      let release = FormatCatalogue.release(name)
    else {
      fail("formats", "what \(printable(kernel.version)) reads is not known; see kho compat --list")
      return
    }
    let result = Compatibility(from: KernelFormats(survey, in: image), to: release.formats)
    switch result.verdict {
    case .compatible: pass("formats", "Linux \(name) understands what this kernel hands over")
    case .incompatible, .unknown:
      let row = result.firstObstacle
      let text = row.map { "\($0.title): \($0.consequence?.sentence ?? $0.written.text)" } ?? ""
      if result.verdict == .incompatible {
        fail("formats", "Linux \(name) does not understand what this kernel hands over: \(text)")
      } else {
        note("formats", "whether Linux \(name) understands everything is not known: \(text)")
      }
    }
  }

  private mutating func checkCommandLine() {
    let words = commandLine.split(separator: " ")
    guard words.contains("kho=on") || words.contains("kho=1") || words.contains("kho=y") else {
      fail("command line", "kho=on is missing, so the next kernel would not look for a handover")
      return
    }
    if SystemCalls.exists(root.pushing("dev/liveupdate")),
      !words.contains(where: { ["liveupdate=on", "liveupdate=1", "liveupdate=y"].contains($0) })
    {
      fail("command line", "liveupdate=on is missing, so files of sessions would be lost")
      return
    }
    pass("command line", "turns it on: \(printable(commandLine))")
  }

  private mutating func checkRoom(_ kernel: KernelFile?, _ initramfs: String?)
    throws(CommandFailure)
  {
    guard let kernel else { return }
    var needed = kernel.runtimeByteCount
    if let initramfs {
      do throws(Errno) {
        needed += try SystemCalls.status(at: FilePath(initramfs)).byteCount
      } catch {
        throw .badInput("\(initramfs): cannot be read (\(error))")
      }
    }
    guard let areas = LiveScratch.areas(root) else {
      note("scratch", "the sizes of the areas are not shown (debugfs)")
      return
    }
    let largest = areas.max() ?? 0
    let text =
      "\(countText(UInt64(areas.count), "area")) of \(areas.map(byteText).joined(separator: ", ")); kernel and "
      + "initramfs need \(byteText(needed))"
    if needed <= largest {
      pass("scratch", text)
    } else {
      fail("scratch", text + ": give kho_scratch= more")
    }
  }

  // MARK: Lines

  private mutating func pass(_ title: String, _ text: String) { add("ok  ", title, text) }
  private mutating func note(_ title: String, _ text: String) { add("note", title, text) }
  private mutating func fail(_ title: String, _ text: String) {
    failureCount += 1
    add("FAIL", title, text)
  }

  private mutating func add(_ mark: String, _ title: String, _ text: String) {
    let width = 12
    lines.append(
      "\(mark)  \(title)\(String(repeating: " ", count: max(width - title.count, 0)))  \(text)")
  }

  private static func runningCommandLine(_ root: FilePath) throws(CommandFailure) -> String {
    do throws(MemoryImageError) {
      let bytes = try SmallFile.read(root.pushing("proc/cmdline"), atMost: 1 << 16) ?? []
      return String(decoding: bytes.prefix { $0 != 10 && $0 != 0 }, as: UTF8.self)
    } catch {
      throw .badInput("/proc/cmdline: \(error.sentence)")
    }
  }
}
