import DeviceTreeBlob
import Foundation
import Testing

/// Other people's tools read what is written here, and the other way round.
///
/// Needs `dtc` and `fdtdump` (Debian and Fedora: package device-tree-compiler, dtc).
@Suite(
  .enabled(
    if: Tool.all.allSatisfy(\.isInstalled),
    "dtc and fdtdump are not installed (package device-tree-compiler or dtc)"))
struct InteropTests {
  private let expected = [
    "compatible = \"kho-v4\";", "preserved-memory-map = <0x8070605 0x4030201>;",
    "memblock {", "blob-size = <0xd6000000 0x00>;", "cells@1000 {",
    "reg = <0x00 0x1000 0x00 0x2000>;", "one = <0x11223344>;", "long = <0x11223344 0x55667788>;",
    "short = <0x44332211>;", "flag;", "inner {", "blob-size = <0x1000000 0x00>;",
  ]

  @Test func dtcReadsOurBlob() throws {
    let text = try Tool.dtc.run(
      ["-q", "-I", "dtb", "-O", "dts", "-"], input: makeSample())
    var rest = text[...]
    for line in expected {
      let range = try #require(rest.range(of: line), "\(line) missing in\n\(text)")
      rest = rest[range.upperBound...]
    }
  }

  @Test func fdtdumpReadsOurBlob() throws {
    let file = URL(filePath: NSTemporaryDirectory()).appending(path: "\(UUID().uuidString).dtb")
    try Data(makeSample()).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let text = try Tool.fdtdump.run([file.path])
    #expect(text.contains("last_comp_version:\t16") || text.contains("last_comp_version: 16"))
    for line in ["compatible = \"kho-v4\";", "cells@1000 {", "one = <0x11223344>;", "inner {"] {
      #expect(text.contains(line), "\(line) missing in\n\(text)")
    }
  }

  private let source = """
    /dts-v1/;
    /memreserve/ 0x1000 0x2000;
    / {
      compatible = "kho-v4", "other";
      cells = <1 2 3>;
      bytes = [de ad be ef];
      empty;
      child@1 { reg = <0x1 0x2 0x3 0x4>; grand { name-of-it = "x"; }; };
      other { cells = <7>; };
    };
    """

  @Test(arguments: ["16", "17"])
  func weReadBlobsOfDtc(version: String) throws {
    for slack in ["0", "100"] {
      let blob = try Tool.dtc.runForBytes(
        ["-q", "-I", "dts", "-O", "dtb", "-V", version, "-S", slack == "0" ? "0" : "1000", "-"],
        input: Array(source.utf8))
      try withBytes(of: blob) { span in
        let tree = try DeviceTree(validating: span)
        #expect(tree.reservationCount == 1)
        #expect(tree.reservation(at: 0)?.byteCount == 0x2000)
      }
      #expect(
        try outline(blob) == [
          "/", "  compatible=6b 68 6f 2d 76 34 0 6f 74 68 65 72 0",
          "  cells=0 0 0 1 0 0 0 2 0 0 0 3", "  bytes=de ad be ef", "  empty=",
          "  child@1/", "    reg=0 0 0 1 0 0 0 2 0 0 0 3 0 0 0 4", "    grand/",
          "      name-of-it=78 0", "  other/", "    cells=0 0 0 7",
        ])
    }
  }

  @Test func dtcReadsWhatWeEdited() throws {
    let blob = try Tool.dtc.runForBytes(
      ["-q", "-I", "dts", "-O", "dtb", "-"], input: Array(source.utf8))
    var page = blob + [UInt8](repeating: 0, count: 4096 - blob.count)
    try withMutableBytes(of: &page) { memory in
      var editor = try DeviceTreeEditor(validating: &memory)
      try editor.removeChild("child@1")
      try editor.addChild("added") { writer throws(DeviceTreeWriterError) in
        try writer.property("size", bigEndianUInt32: 5)
        try writer.property("cells", bigEndianUInt32: 6)
      }
    }
    let text = try Tool.dtc.run(["-q", "-I", "dtb", "-O", "dts", "-"], input: page)
    var rest = text[...]
    for line in [
      "/memreserve/", "cells = <0x01 0x02 0x03>;", "other {", "added {", "size = <0x05>;",
      "cells = <0x06>;",
    ] {
      let range = try #require(rest.range(of: line), "\(line) missing in\n\(text)")
      rest = rest[range.upperBound...]
    }
    #expect(!text.contains("child@1"))
  }
}

/// A program of the device tree compiler package.
struct Tool: Sendable {
  let name: String

  static let dtc = Tool(name: "dtc")
  static let fdtdump = Tool(name: "fdtdump")
  static let all = [dtc, fdtdump]

  private var path: String? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":")
      .map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  var isInstalled: Bool { path != nil }

  func run(_ arguments: [String], input: [UInt8] = []) throws -> String {
    String(decoding: try runForBytes(arguments, input: input), as: UTF8.self)
  }

  /// Small inputs only: they are written whole before the output is read.
  func runForBytes(_ arguments: [String], input: [UInt8] = []) throws -> [UInt8] {
    let process = Process()
    process.executableURL = URL(filePath: try #require(path))
    process.arguments = arguments
    let (toTool, fromTool) = (Pipe(), Pipe())
    process.standardInput = toTool
    process.standardOutput = fromTool
    process.standardError = FileHandle.nullDevice
    try process.run()
    try toTool.fileHandleForWriting.write(contentsOf: Data(input))
    try toTool.fileHandleForWriting.close()
    let output = try fromTool.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(name) failed")
    return [UInt8](output)
  }
}
