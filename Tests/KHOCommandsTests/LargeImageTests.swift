import Foundation
import HandoverTestSupport
import Platform
import Testing

/// An image larger than memory: read where it is stored, never as a whole.
@Suite struct LargeImageTests {
  @Test func sparseImageOf100GiB() throws {
    let folder = try TemporaryFolder()
    let patient = try Patient(Fixture(name: "linux-7.3-kho-v4"))
    let small = try folder.write(patient.image.elf(), "small")
    let path = try folder.write([], "large")
    let file = try FileHandle(forWritingTo: URL(filePath: path))
    try file.truncate(atOffset: 100 << 30)
    for (address, bytes) in patient.image.pages {
      try file.seek(toOffset: address)
      try file.write(contentsOf: Data(bytes))
    }
    try file.close()

    // The largest resident set of the children so far; the small image's holds what every run needs.
    let before = try peakByteCount(["inspect", "--json", small])
    let after = try peakByteCount(["inspect", "--json", "--base", "0", path])
    #expect(after - before < 64 << 20)

    let report: InspectJSON = try kho("inspect", "--json", "--base", "0", path).json()
    #expect(report.handovers.map(\.fdtAddress) == [patient.deviceTree])
    #expect(report.handovers.first?.entryCount == 471)
    #expect(report.handovers.first?.findings.isEmpty == true)
  }

  /// Runs the built tool; gives the largest resident set of any child so far, in bytes.
  private func peakByteCount(_ arguments: [String]) throws -> Int {
    let process = Process()
    process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent().appending(path: "kho")
    process.arguments = arguments
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    var usage = rusage()
    // SAFETY: the call fills the whole structure, which outlives it.
    _ = unsafe getrusage(RUSAGE_CHILDREN.rawValue, &usage)
    return usage.ru_maxrss * 1024
  }
}
