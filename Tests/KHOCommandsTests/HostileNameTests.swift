import HandoverTestSupport
import KexecHandover
import Testing

/// Names from an image are untrusted, and a terminal obeys escape sequences.
@Suite struct HostileNameTests {
  private static let names = [
    "\u{1b}[2J\u{1b}]0;owned\u{7}", "a\nb\rc\td", "\u{9b}31mred", "del\u{7f}ete", "\u{85}next",
  ]

  @Test func namesOfBlobsAndVersions() throws {
    let folder = try TemporaryFolder()
    for name in Self.names {
      for version in ["kho-v4", "kho-v" + name] {
        var patient = try Patient(Fixture(name: "linux-7.3-kho-v4"))
        let (map, deviceTree) = (patient.map, patient.deviceTree)
        try patient.writeDeviceTree { writer throws(DeviceTreeWriterError) in
          try writer.property("compatible", string: version)
          try writer.property("preserved-memory-map", nativeUInt64: map)
          try writer.beginNode(name)
          try writer.property("preserved-data", nativeUInt64: deviceTree)
          try writer.property("blob-size", nativeUInt64: .max)
          try writer.endNode()
          try writer.beginNode("x" + name)
          try writer.endNode()
        }
        let path = try folder.write(patient.image.elf())
        for command in ["inspect", "owners", "check", "pages"] {
          for options in [[], ["--json"]] {
            let run = CommandRun([command] + options + [path])
            expectHarmless(run.text)
            expectHarmless(run.errors)
          }
        }
        // A program gets the name as it is.
        let report: InspectJSON = try kho("inspect", "--json", path).json()
        if version == "kho-v4" { #expect(report.handovers[0].subtrees.first?.name == name) }
        #expect(report.handovers[0].compatible == version)
      }
    }
  }

  private func expectHarmless(_ text: String) {
    for scalar in text.unicodeScalars where scalar != "\n" {
      let isControl = !scalar.isShownAsItself
      #expect(!isControl, "U+\(String(scalar.value, radix: 16)) in \(text.debugDescription)")
      if isControl { return }
    }
  }

  @Test func endlessNamesAreCut() throws {
    let folder = try TemporaryFolder()
    var patient = try Patient(Fixture(name: "linux-7.3-kho-v4"))
    let version = "kho-v" + String(repeating: "4", count: 3000)
    let map = patient.map
    try patient.writeDeviceTree { writer throws(DeviceTreeWriterError) in
      try writer.property("compatible", string: version)
      try writer.property("preserved-memory-map", nativeUInt64: map)
    }
    let run = kho("check", try folder.write(patient.image.elf()))
    #expect(run.status == 1)
    #expect(run.output.count < 500)
  }
}
