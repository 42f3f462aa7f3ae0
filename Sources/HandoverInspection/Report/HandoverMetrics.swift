import Handover
import MemoryAccess
import PreservedPages

/// The handovers of an image in numbers, for a monitoring system, as text of OpenMetrics.
public struct HandoverMetrics: Sendable {
  /// The text of all metrics.
  public let text: String

  private typealias Sample = OpenMetrics.Sample

  /// Counts what the handovers of `image` hold, and what is wrong with them.
  public init(_ image: HandoverImage) {
    let handovers = image.surveys.enumerated().map { Handover($0.element, $0.offset, in: image) }
    var metrics = OpenMetrics()
    metrics.add(
      "kho_handovers", help: "Handovers that were found.", [Sample(UInt64(handovers.count), [])])
    metrics.add(
      "kho_unread_handovers", help: "Root device trees that were found and not read.",
      [Sample(image.omittedHandoverCount, [])])
    metrics.add(
      "kho_handover_format", help: "The version of each handover, as its root device tree says.",
      handovers.map { Sample(1, $0.labels + [("compatible", $0.compatible)]) })
    metrics.add(
      "kho_handover_readable", help: "Whether all of the handover could be read: 1, or 0.",
      handovers.map { Sample($0.survey.error == nil ? 1 : 0, $0.labels) })
    metrics.add(
      "kho_preserved_bytes", unit: "bytes", help: "Preserved memory.",
      handovers.map { Sample($0.survey.pages?.preservedByteCount ?? 0, $0.labels) })
    metrics.add(
      "kho_entries", help: "Preserved blocks.",
      handovers.map { Sample($0.survey.pages?.entryCount ?? 0, $0.labels) })
    metrics.add(
      "kho_order_entries", help: "Preserved blocks of each order.",
      handovers.flatMap { handover in
        handover.survey.ordersInUse.map {
          Sample($0.count, handover.labels + [("order", "\($0.order)")])
        }
      })
    metrics.add(
      "kho_metadata_bytes", unit: "bytes", help: "Memory of the nodes that mark what is preserved.",
      handovers.map { Sample($0.survey.pages?.metadataByteCount ?? 0, $0.labels) })
    metrics.add(
      "kho_subtrees", help: "Registered blobs.",
      handovers.map { Sample(UInt64($0.survey.subtrees.count), $0.labels) })
    Self.addOwners(handovers, to: &metrics)
    Self.addFindings(handovers, to: &metrics)
    text = metrics.text
  }

  private static func addOwners(_ handovers: [Handover], to metrics: inout OpenMetrics) {
    func samples(_ value: (OwnerAccounts.Account) -> UInt64) -> [Sample] {
      handovers.flatMap { handover in
        (handover.accounts.accounts + [handover.accounts.unowned]).map { account in
          Sample(value(account), handover.labels + labels(of: account.owner))
        }
      }
    }
    metrics.add(
      "kho_owner_bytes", unit: "bytes", help: "Preserved memory of each owner and use.",
      samples(\.byteCount))
    metrics.add(
      "kho_owner_entries", help: "Preserved blocks of each owner and use.", samples(\.entryCount))
    metrics.add(
      "kho_disputed_bytes", unit: "bytes", help: "Preserved memory that is claimed twice.",
      handovers.map { Sample($0.accounts.disputedByteCount, $0.labels) })
  }

  /// The labels of an owner: the same as the members of `kho owners --json`, empty where they are null.
  private static func labels(of owner: MemoryOwner?) -> [(name: String, value: String)] {
    [
      ("kind", owner?.holder.kind ?? "none"), ("name", owner?.holder.name ?? ""),
      ("token", owner?.holder.token.map { "\($0)" } ?? ""), ("use", owner?.use.word ?? ""),
    ]
  }

  private static func addFindings(_ handovers: [Handover], to metrics: inout OpenMetrics) {
    metrics.add(
      "kho_findings",
      help: "What kho check finds, by severity and code; the code any counts all of a severity.",
      handovers.flatMap { handover in
        handover.findings.map {
          Sample($0.count, handover.labels + [("severity", $0.severity), ("code", $0.code)])
        }
      })
    metrics.add(
      "kho_errors", help: "Findings of severity error, listed or not.",
      handovers.map { Sample($0.errorCount, $0.labels) })
  }

  /// One handover, with what is counted of it.
  private struct Handover {
    let survey: HandoverSurvey
    let labels: [(name: String, value: String)]
    let accounts: OwnerAccounts
    let findings: [(severity: String, code: String, count: UInt64)]
    let errorCount: UInt64

    init(_ survey: HandoverSurvey, _ index: Int, in image: HandoverImage) {
      self.survey = survey
      // A second handover without an address must not have the labels of the first.
      labels = [("handover", survey.address?.description ?? "unknown-\(index)")]
      accounts = survey.owners(in: image.memory)
      let verdict = HandoverVerdict(on: survey, in: image)
      var counts: [(severity: String, code: String, count: UInt64)] = [
        FindingSeverity.error, .warning, .note,
      ].map {
        ($0.name, "any", 0)
      }
      for finding in verdict.findings {
        let severity = finding.severity.name
        for code in ["any", finding.code] {
          if let place = counts.firstIndex(where: { $0.severity == severity && $0.code == code }) {
            counts[place].count += 1
          } else {
            counts.append((severity, code, 1))
          }
        }
      }
      findings = counts
      errorCount = verdict.errorCount
    }

    var compatible: String { survey.deviceTree?.compatible ?? "unknown" }
  }
}
