import Foundation

/// An archive that a kernel unpacks into its root: "newc" of cpio(5), uncompressed.
struct Initramfs {
  private(set) var bytes = Data()
  private var folders: Set<String> = []
  private var libraries: Set<String> = []
  private var inode = 1

  /// An archive without a file.
  init() {}

  /// Busybox with all its applets, the guest's scripts, and programs with the libraries they need.
  init(busybox: URL, programs: [URL]) throws {
    for folder in ["proc", "sys", "dev", "tmp", "root", "etc"] { addFolder(folder) }
    try addFile("bin/busybox", busybox)
    let applets = try Run(busybox.path, ["--list"]).text.split(separator: "\n").map(String.init)
    for applet in applets where applet != "busybox" { addLink("bin/\(applet)", to: "busybox") }
    add("etc/passwd", Data("root::0:0::/:/bin/sh\nnobody::65534:65534::/:/bin/sh\n".utf8))
    add("etc/group", Data("root::0:\nnogroup::65534:\n".utf8))
    let scripts = Lab.folder.appending(path: "Guest")
    try addFile("init", scripts.appending(path: "init"))
    for script in ["lab-commands", "lab-kexec", "lab-initramfs"] {
      try addFile("bin/\(script)", scripts.appending(path: script))
    }
    try addPrograms(programs)
  }

  /// Adds programs to /bin, and the libraries that ldd(1) names, each once.
  mutating func addPrograms(_ programs: [URL]) throws {
    for program in programs {
      try addProgram("bin/\(program.lastPathComponent)", program)
      for library in try Self.libraries(of: program) where libraries.insert(library.path).inserted {
        let name = library.lastPathComponent
        let place = name.hasPrefix("ld-linux") ? String(library.path.dropFirst()) : "lib/\(name)"
        try addProgram(place, library)
      }
    }
  }

  /// The libraries that a program needs, and its loader.
  static func libraries(of program: URL) throws -> [URL] {
    try Run("/usr/bin/ldd", [program.path]).text.split(separator: "\n").compactMap { line in
      // "libc.so.6 => /lib/… (0x…)", and the loader without an arrow.
      line.split(separator: " ").first { $0.contains("/") }
        .map { URL(filePath: $0.trimmingCharacters(in: .whitespaces)) }
    }
  }

  /// Adds a file with the contents of another, executable.
  mutating func addFile(_ path: String, _ source: URL) throws {
    add(path, try Data(contentsOf: source.resolvingSymlinksInPath()))
  }

  /// Adds a program without what only a debugger reads.
  private mutating func addProgram(_ path: String, _ source: URL) throws {
    guard let strip = Lab.program("strip") else { return try addFile(path, source) }
    let stripped = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: stripped) }
    let run = try Run(strip.path, ["-o", stripped.path, source.resolvingSymlinksInPath().path])
    try addFile(path, run.status == 0 ? stripped : source)
  }

  /// Adds a file.
  mutating func add(_ path: String, _ content: Data, mode: Int = 0o100755) {
    var parent = ""
    for part in path.split(separator: "/").dropLast() {
      parent += parent.isEmpty ? String(part) : "/\(part)"
      addFolder(parent)
    }
    addEntry(path, mode, content)
  }

  private mutating func addLink(_ path: String, to target: String) {
    addEntry(path, 0o120777, Data(target.utf8))
  }

  private mutating func addFolder(_ path: String) {
    if folders.insert(path).inserted { addEntry(path, 0o040755, Data()) }
  }

  /// The archive with its last entry.
  var whole: Data {
    var copy = self
    copy.addEntry("TRAILER!!!", 0, Data())
    return copy.bytes
  }

  private mutating func addEntry(_ path: String, _ mode: Int, _ content: Data) {
    inode += 1
    let fields = [
      inode, mode, 0, 0, 1, 0, content.count, 0, 0, 0, 0, path.utf8.count + 1, 0,
    ]
    bytes.append(Data("070701".utf8))
    for field in fields {
      let digits = String(field, radix: 16)
      bytes.append(Data((String(repeating: "0", count: 8 - digits.count) + digits).utf8))
    }
    bytes.append(Data(path.utf8))
    bytes.append(0)
    pad()
    bytes.append(content)
    pad()
  }

  private mutating func pad() {
    bytes.append(Data(count: (4 - bytes.count % 4) % 4))
  }
}
