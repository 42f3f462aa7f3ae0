/// The formats of each Linux release, as far as they are known: data, with the source of each fact.
///
/// Compiled in, so that the tool remains one file. `kho compat --list --json` prints it. A release that
/// is not here, and a format that a release does not name here, is not known; nothing is derived
/// from the releases around it.
public enum FormatCatalogue {
  /// What is known of a release of Linux.
  public struct Release: Sendable {
    /// The first two numbers of the version.
    public let name: String
    /// The facts by format; a format that is missing is not known.
    public let facts: [HandoverFormat: FormatFact]

    /// The release as a side of a comparison.
    ///
    /// That each of them reads what it writes is known: of 6.18, 7.1 and 7.3 because the handovers of
    /// the images were received by the same release, of the others because writer and reader
    /// share the description. That one reads anything else is not known of any.
    public var formats: KernelFormats {
      KernelFormats(name: "Linux \(name)", writes: facts, reads: facts)
    }
  }

  /// All releases of which something is known, oldest first.
  public static let releases: [Release] = [
    Release(name: "6.16", facts: smallBitmaps),
    Release(name: "6.17", facts: smallBitmaps),
    Release(
      name: "6.18",
      facts: [
        .root: FormatFact(["kho-v1"], source618),
        .chunkBitmap: FormatFact(["a page"], source618),
        .memblock: FormatFact(["memblock-v1"], source618),
        .reservedRegion: FormatFact(["reserve-mem-v1"], source618),
        .kexecMetadata: FormatFact([], source618),
        .liveUpdate: FormatFact([], source618),
        .liveUpdateSession: FormatFact([], source618),
        .sharedData: FormatFact([], source618),
        .file: FormatFact([], source618),
        .selfTest: FormatFact(["kho-test-v1"], source618),
      ]),
    Release(
      name: "6.19",
      facts: [
        .root: FormatFact(["kho-v1"], description),
        .chunkBitmap: FormatFact(["a page"], description),
      ]),
    Release(
      name: "7.1",
      facts: [
        .root: FormatFact(["kho-v3"], source71),
        .chunkBitmap: FormatFact([], source71),
        .memblock: FormatFact(["memblock-v1"], source71),
        .reservedRegion: FormatFact(["reserve-mem-v1"], source71),
        .kexecMetadata: FormatFact(["version 1"], source71),
        .liveUpdate: FormatFact(["luo-v1"], source71),
        .liveUpdateSession: FormatFact(["luo-session-v2"], source71),
        .sharedData: FormatFact(["luo-flb-v1"], source71),
        .file: FormatFact(["memfd-v2"], source71),
        .selfTest: FormatFact(["kho-test-v1"], source71),
      ]),
    Release(name: "7.2", facts: version4(source72)),
    Release(name: "7.3", facts: version4(source73)),
  ]

  private static let smallBitmaps: [HandoverFormat: FormatFact] = [
    .root: FormatFact(["kho-v1"], description),
    .chunkBitmap: FormatFact(["512 bytes"], description),
  ]

  /// kho-v4 with the records of 7.2 and 7.3. Sessions and shared data have no string of their own
  /// there: "luo-v5" represents them too.
  private static func version4(_ source: String) -> [HandoverFormat: FormatFact] {
    [
      .root: FormatFact(["kho-v4"], source),
      .chunkBitmap: FormatFact([], source),
      .memblock: FormatFact(["memblock-v1"], source),
      .reservedRegion: FormatFact(["reserve-mem-v1"], source),
      .kexecMetadata: FormatFact(["version 1"], source),
      .liveUpdate: FormatFact(["luo-v5"], source),
      .liveUpdateSession: FormatFact([], source),
      .sharedData: FormatFact([], source),
      .file: FormatFact(["memfd-v2"], source),
      .selfTest: FormatFact(["kho-test-v1"], source),
    ]
  }

  private static let description = "Versions.md: the versions and their releases"
  private static let source618 =
    "read off Linux 6.18.15; seen in Fixtures/linux-6.18-kho-v1.elf"
  private static let source71 =
    "read off Linux 7.1.13; seen in Fixtures/linux-7.1-kho-v3.elf"
  private static let source72 = "read off Linux 7.2.12"
  private static let source73 =
    "read off Linux 7.3.4; seen in Fixtures/linux-7.3-kho-v4.elf"

  /// The release that `text` names, as `7.3`, `7.3.4`, `v7.3` or `linux-7.3.4-1-amd64`; nil where it
  /// does not look like one.
  public static func releaseName(_ text: String) -> String? {
    var rest = Substring(text.lowercased())
    for prefix in ["linux-", "linux ", "linux", "v"] where rest.hasPrefix(prefix) {
      rest.removeFirst(prefix.count)
      break
    }
    let numbers = rest.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
    guard numbers.count >= 2, let major = number(numbers[0]) else { return nil }
    // Behind the second number, anything that is not a digit belongs to the package's name.
    let minorText = numbers[1].prefix { $0.isASCII && $0.isNumber }
    guard let minor = number(minorText) else { return nil }
    let tail = numbers[1].dropFirst(minorText.count)
    guard tail.isEmpty || "-+~_".contains(tail.first ?? "?") else { return nil }
    return "\(major).\(minor)"
  }

  private static func number(_ text: Substring) -> UInt16? {
    guard !text.isEmpty, text.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
    return UInt16(text)
  }

  /// The release of that name.
  public static func release(_ name: String) -> Release? { releases.first { $0.name == name } }

  /// What all releases that write the root device tree as `root` agree on about `format`.
  public static func fact(_ format: HandoverFormat, ofAllWriting root: String) -> FormatFact {
    let facts = releases.filter { $0.facts[.root]?.strings == [root] }
      .map { $0.facts[format] ?? .unknown }
    guard let first = facts.first, facts.allSatisfy({ $0.strings == first.strings }) else {
      return .unknown
    }
    return first
  }
}
