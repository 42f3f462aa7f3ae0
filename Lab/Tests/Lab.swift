import Foundation

/// What the lab needs of this machine, found once.
enum Lab {
  /// Why no guest can be booted here; nil where one can.
  static let missing: String? = {
    switch found {
    case .success: return nil
    case .failure(let missing): return missing.sentence
    }
  }()

  static var isReady: Bool { missing == nil }

  /// Which scenarios are run, `$KHO_LAB`: none, the quick ones, or all.
  enum Extent: String {
    case none, quick, all
  }

  static let extent =
    ProcessInfo.processInfo.environment["KHO_LAB"].flatMap(Extent.init) ?? .none

  /// Where the scenarios leave what they saw, `$KHO_LAB_LOGS`; nil where nothing is kept.
  private static let logs = ProcessInfo.processInfo.environment["KHO_LAB_LOGS"].map {
    URL(filePath: $0)
  }

  /// Writes a file to the folder `$KHO_LAB_LOGS`, which is made where it does not exist.
  static func keep(_ text: String, as name: String) throws {
    guard let logs else { return }
    try FileManager.default.createDirectory(at: logs, withIntermediateDirectories: true)
    try text.write(to: logs.appending(path: name), atomically: true, encoding: .utf8)
  }

  /// What was found.
  static var parts: Parts {
    get throws { try found.get() }
  }

  struct Parts {
    let kernel: URL
    let busybox: URL
    let qemu: URL
  }

  struct Missing: Error, CustomStringConvertible {
    let sentence: String
    var description: String { sentence }
  }

  /// The folder `Lab/` of the repository.
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Where the built programs are: `$KHO_LAB_PROGRAMS`, or beside this test.
  static let programs: URL = {
    if let path = ProcessInfo.processInfo.environment["KHO_LAB_PROGRAMS"] {
      return URL(filePath: path)
    }
    return URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
  }()

  /// The cache server, in the debug or the release build of its package; nil if it was not built.
  static let cacheServer: URL? = ["release", "debug"]
    .map { folder.appending(path: "../CacheServer/.build/\($0)/cache-server").standardized }
    .first { FileManager.default.isExecutableFile(atPath: $0.path) }

  /// The kernel of that version in the cache, built with the options of `kernel-WITH.config`; nil if it was not built yet.
  static func kernel(
    _ version: String = "7.3", _ architecture: String = "x86_64", with options: String? = nil
  ) -> URL? {
    cached(
      "kernel",
      ["--arch", architecture] + (options.map { ["--with", $0] } ?? []) + [version])
  }

  /// What a script of the lab has in the cache; nil if it was not made yet.
  static func cached(_ script: String, _ arguments: [String] = []) -> URL? {
    guard
      let run = try? Run(folder.appending(path: script).path, ["--cached"] + arguments),
      run.status == 0
    else { return nil }
    return URL(filePath: run.text.trimmingCharacters(in: .whitespacesAndNewlines))
  }

  private static let found: Result<Parts, Missing> = {
    guard extent != .none else {
      return .failure(Missing(sentence: "real kernels are booted by Lab/quick and Lab/all alone"))
    }
    guard let qemu = program("qemu-system-x86_64") else {
      return .failure(Missing(sentence: "qemu-system-x86_64 is not installed"))
    }
    guard let busybox = program("busybox") else {
      return .failure(Missing(sentence: "busybox is not installed (Debian: busybox-static)"))
    }
    guard let kernel = kernel() else {
      return .failure(
        Missing(sentence: "the lab's cache has no kernel for x86-64: run Lab/kernel"))
    }
    return .success(Parts(kernel: kernel, busybox: busybox, qemu: qemu))
  }()

  static func program(_ name: String) -> URL? {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    return path.split(separator: ":").map { URL(filePath: String($0)).appending(path: name) }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }
}

/// A program that ran to its end.
struct Run {
  let status: Int32
  let text: String

  init(_ program: String, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let bytes = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    status = process.terminationStatus
    text = String(decoding: bytes, as: UTF8.self)
  }
}
