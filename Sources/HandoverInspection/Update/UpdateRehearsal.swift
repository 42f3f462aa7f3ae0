import Handover
import MemoryAccess
import MemoryImages
import Platform
import PreservedPages
public import SystemPackage

/// What is known before a kernel update that hands memory over: checks, of which none changes anything.
public struct UpdateRehearsal: Sendable {
  /// How a check ended.
  public struct Outcome: Hashable, Sendable {
    /// The word for the outcome: `ok`, `note` or `FAIL`.
    public let name: String

    /// The check passed.
    public static let passed = Outcome(name: "ok")
    /// The check does not decide whether the update works.
    public static let noted = Outcome(name: "note")
    /// The update would lose memory, or the kernel would not start.
    public static let failed = Outcome(name: "FAIL")
  }

  /// One check.
  public struct Check: Hashable, Sendable {
    /// What was looked at.
    public let title: String
    /// How it ended.
    public let outcome: Outcome
    /// What was found.
    public let text: String
  }

  /// The checks, in the order in which they were made.
  public private(set) var checks: [Check] = []
  /// The command line of the next kernel.
  public let commandLine: String

  private let root: FilePath

  /// Whether any check failed.
  public var hasFailed: Bool { checks.contains { $0.outcome == .failed } }

  /// Makes the checks.
  ///
  /// - Parameters:
  ///   - kernel: the bzImage of the next kernel.
  ///   - initramfs: its initramfs; nil for none.
  ///   - commandLine: its command line; nil for that of the running kernel.
  ///   - root: where `proc`, `sys` and `dev` of the running system are.
  /// - Throws: ``UpdateRehearsalError`` where a file cannot be read.
  public init(
    kernel: FilePath, initramfs: FilePath?, commandLine: String? = nil, root: FilePath = "/"
  ) throws(UpdateRehearsalError) {
    self.root = root
    if let commandLine {
      self.commandLine = commandLine
    } else {
      self.commandLine = try Self.runningCommandLine(root)
    }
    let image = handover()
    let header = try bootable(kernel)
    compareFormats(image, header)
    checkCommandLine()
    try checkRoom(header, initramfs)
    let text =
      SystemCalls.exists(root.pushing("dev/liveupdate"))
      ? "the files of open sessions survive; the kernel writes its list of sessions at the start of the next "
        + "one, so they are not listed here"
      : "/dev/liveupdate does not exist: files do not survive, only what kernel code preserves"
    add("live update", .noted, text)
  }

  private mutating func add(_ title: String, _ outcome: Outcome, _ text: String) {
    checks.append(Check(title: title, outcome: outcome, text: text))
  }

  /// The handover that the running kernel prepares.
  private mutating func handover() -> HandoverImage? {
    let image: HandoverImage
    do throws(HandoverImageError) {
      image = try HandoverImage.open(.runningSystem(root: root))
    } catch {
      add("handover", .failed, error.sentence)
      return nil
    }
    // The outgoing one comes last.
    guard let survey = image.surveys.last else { return nil }
    let errorCount = HandoverVerdict(on: survey, in: image).errorCount
    let title = survey.address.map { "at \($0)" } ?? "of the given device tree"
    guard errorCount == 0, let pages = survey.pages else {
      add(
        "handover", .failed, "\(title): \(countText(errorCount, "error")); see kho check --live")
      return image
    }
    add(
      "handover", .passed,
      "\(title), sound: \(byteText(pages.preservedByteCount)) in "
        + countText(pages.entryCount, "entry", "entries"))
    return image
  }

  /// The file of the next kernel.
  private mutating func bootable(_ path: FilePath) throws(UpdateRehearsalError) -> KernelFile? {
    let bytes: [UInt8]?
    do throws(MemoryImageError) {
      bytes = try SmallFile.read(path, atMost: 1 << 30)
    } catch {
      throw UpdateRehearsalError("\(path): \(error.sentence)")
    }
    guard let bytes, let kernel = KernelFile(bytes) else {
      add(
        "kernel", .failed, "\(path) is not a bzImage of x86-64 of boot protocol 2.12 or newer")
      return nil
    }
    add("kernel", .passed, "\(path): \(printable(kernel.version))")
    return kernel
  }

  /// What the next kernel reads of what this one writes.
  private mutating func compareFormats(_ image: HandoverImage?, _ kernel: KernelFile?) {
    guard let image, let survey = image.surveys.last, let kernel else { return }
    guard let name = FormatCatalogue.releaseName(kernel.version),
      let release = FormatCatalogue.release(name)
    else {
      add(
        "formats", .failed,
        "what \(printable(kernel.version)) reads is not known; see kho compat --list")
      return
    }
    let result = Compatibility(from: KernelFormats(survey, in: image), to: release.formats)
    let row = result.firstObstacle
    let text = row.map { "\($0.title): \($0.consequence?.sentence ?? $0.written.text)" } ?? ""
    switch result.verdict {
    case .compatible:
      add("formats", .passed, "Linux \(name) understands what this kernel hands over")
    case .incompatible:
      add(
        "formats", .failed,
        "Linux \(name) does not understand what this kernel hands over: \(text)")
    case .unknown:
      add("formats", .noted, "whether Linux \(name) understands everything is not known: \(text)")
    }
  }

  private mutating func checkCommandLine() {
    let words = commandLine.split(separator: " ")
    func isOn(_ option: String) -> Bool {
      words.contains { ["\(option)=on", "\(option)=1", "\(option)=y"].contains($0) }
    }
    if !isOn("kho") {
      add(
        "command line", .failed,
        "kho=on is missing, so the next kernel would not look for a handover")
    } else if SystemCalls.exists(root.pushing("dev/liveupdate")), !isOn("liveupdate") {
      add(
        "command line", .failed,
        "liveupdate=on is missing, so files of sessions would be lost")
    } else {
      add("command line", .passed, "turns it on: \(printable(commandLine))")
    }
  }

  private mutating func checkRoom(
    _ kernel: KernelFile?, _ initramfs: FilePath?
  ) throws(UpdateRehearsalError) {
    guard let kernel else { return }
    var needed = kernel.runtimeByteCount
    if let initramfs {
      do throws(Errno) {
        needed += try SystemCalls.status(at: initramfs).byteCount
      } catch {
        throw UpdateRehearsalError("\(initramfs): cannot be read (\(error))")
      }
    }
    guard let areas = LiveSystem(root: root).currentScratch?.areas.map(\.byteCount) else {
      add("scratch", .noted, "the sizes of the areas are not shown (debugfs)")
      return
    }
    let text =
      "\(countText(UInt64(areas.count), "area")) of \(areas.map(byteText).joined(separator: ", ")); kernel and "
      + "initramfs need \(byteText(needed))"
    if needed <= areas.max() ?? 0 {
      add("scratch", .passed, text)
    } else {
      add("scratch", .failed, text + ": give kho_scratch= more")
    }
  }

  private static func runningCommandLine(
    _ root: FilePath
  ) throws(UpdateRehearsalError) -> String {
    do throws(MemoryImageError) {
      let bytes = try SmallFile.read(root.pushing("proc/cmdline"), atMost: 1 << 16) ?? []
      return String(decoding: bytes.prefix { $0 != 10 && $0 != 0 }, as: UTF8.self)
    } catch {
      throw UpdateRehearsalError("/proc/cmdline: \(error.sentence)")
    }
  }
}

/// Why an update cannot be rehearsed.
public struct UpdateRehearsalError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Which file cannot be read, and why.
  public let description: String

  init(_ description: String) { self.description = description }
}
