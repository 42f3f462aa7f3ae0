public import Handover
import MemoryAccess
import PreservedPages

extension JSONDocument {
  /// Which owner has how much of the preserved memory of each handover: schema `kho-owners/2`.
  ///
  /// - Parameter handovers: handovers, each with its accounts.
  public static func owners(
    _ handovers: [(survey: HandoverSurvey, accounts: OwnerAccounts)]
  ) -> JSONValue {
    make(
      "kho-owners/2",
      [
        "handovers": handovers.map { survey, accounts in
          JSONValue([
            "fdtAddress": survey.address, "entryCount": accounts.entryCount,
            "preservedBytes": accounts.byteCount,
            "metadataBytes": survey.pages?.metadataByteCount ?? 0,
            "owners": accounts.accounts.map(\.json), "unowned": accounts.unowned.json,
            "disputedBytes": accounts.disputedByteCount,
            "disputes": accounts.disputes.map { dispute in
              JSONValue([
                "address": dispute.range.start, "bytes": dispute.range.byteCount,
                "owner": dispute.owner?.json, "otherOwner": dispute.otherOwner?.json,
              ])
            },
            "omittedDisputeCount": accounts.omittedDisputeCount, "error": survey.error?.sentence,
          ])
        }
      ])
  }
}

extension OwnerAccounts.Account {
  fileprivate var json: JSONValue {
    JSONValue([
      "owner": owner?.json, "entryCount": entryCount, "bytes": byteCount,
      "claimedBytes": claimedByteCount, "disputedBytes": disputedByteCount,
    ])
  }
}

extension MemoryOwner {
  fileprivate var json: JSONValue {
    JSONValue([
      "kind": holder.kind, "name": holder.name, "token": holder.token, "use": use.word,
    ])
  }
}
