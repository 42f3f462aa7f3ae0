internal import KexecHandover

/// An image, and the handovers found in it.
struct LoadedImage {
  let path: String
  let memory: MemoryImage
  let surveys: [HandoverSurvey]
  /// Whether anything told the page size: the user, the image, or the handovers themselves.
  let isPageSizeKnown: Bool
  /// How many root device trees were found and not read.
  let omittedHandoverCount: UInt64
  /// What a memory file says of itself; nil of an image.
  let memoryFile: MemoryContents?

  /// What is wrong with `survey`, with what only the whole image tells.
  func findings(of survey: HandoverSurvey) -> [HandoverFinding] {
    survey.findings + ownFindings(of: survey)
  }

  /// What is wrong with the handover of `records`, and with its records.
  func findings(of records: RecordsOfHandover) -> [HandoverFinding] {
    findings(of: records.survey) + records.findings.findings.map { .record($0) }
  }

  /// How many of the findings are of severity error, those not listed included.
  func errorCount(of survey: HandoverSurvey) -> UInt64 {
    survey.errorCount &+ UInt64(ownFindings(of: survey).count { $0.severity == .error })
  }

  private func ownFindings(of survey: HandoverSurvey) -> [HandoverFinding] {
    var findings: [HandoverFinding] = []
    if let memoryFile, !memoryFile.isDeviceTreeSound, let address = survey.address,
      address == memoryFile.superblock.state.deviceTree
    {
      findings.append(.deviceTreeChanged(address))
    }
    if !isPageSizeKnown { findings.append(.pageSizeAssumed(survey.geometry)) }
    return findings
  }

  /// Says on standard error what was left out of the output, and what of the image cannot be read.
  func complainAboutOmissions() {
    if case .kdump(let dump) = memory, let damage = dump.damage {
      Console.current.complain(
        "kho: \(path): damaged; the page at \(damage.first.address) could not be read:"
          + " \(damage.first.reason)")
    }
    guard omittedHandoverCount > 0 else { return }
    Console.current.complain(
      "kho: \(path): \(omittedHandoverCount) more root device trees were found and not read; name "
        + "one with --fdt-address")
  }
}

extension HandoverSurvey {
  /// How the handover is called in sentences.
  var title: String {
    address.map { "handover at \($0)" } ?? "handover of the given device tree"
  }
}
