internal import KexecHandover

/// Who has the preserved memory of one handover, for people.
struct OwnersOfHandover {
  let survey: HandoverSurvey
  let accounts: OwnerAccounts
  /// Whether the Live Update Orchestrator is registered and has not written its sessions.
  private let awaitsSessions: Bool

  init(_ survey: HandoverSurvey, in memory: some PhysicalMemory) {
    self.survey = survey
    accounts = survey.owners(in: memory)
    let blob = survey.subtrees.first { $0.subtree.name == LiveUpdateRecord.subtreeName }
    let record = blob.flatMap {
      try? LiveUpdateRecord(at: $0.subtree.address, byteCount: $0.byteCount, in: memory)
    }
    awaitsSessions = record?.sessions == .zero
  }

  /// The owners line by line, those of one holder together unless `showsUses`.
  func description(showsUses: Bool) -> [String] {
    let version = survey.deviceTree?.compatible.map { printable($0) } ?? "unknown version"
    var lines = ["\(survey.title): \(version)"]
    if let error = survey.error { lines.append("  not all of it can be read: \(error.sentence)") }
    guard let pages = survey.pages else { return lines }
    lines += table(showsUses: showsUses).lines(indent: "  ")
    let nodes = pages.nodeCountByLevel.reduce(0, &+)
    lines.append(
      "  beside them \(byteText(pages.metadataByteCount)) in \(countText(nodes, "node")), which are not "
        + "entries")
    if awaitsSessions, accounts.unowned.entryCount > 0 {
      lines.append(
        "  the Live Update Orchestrator writes its sessions in the reboot; until then, what they "
          + "preserve has no owner")
    }
    return lines + disputes
  }

  private func table(showsUses: Bool) -> TextTable {
    var table = TextTable(
      showsUses
        ? [.left, .left, .right, .right, .right, .right]
        : [.left, .right, .right, .right, .right])
    func add(_ title: String, _ use: String, _ sum: OwnerAccounts.Sum) {
      let share = percentText(sum.byteCount, of: accounts.byteCount)
      let numbers = [
        byteText(sum.byteCount), share, "\(sum.entryCount)", byteText(sum.claimedByteCount),
      ]
      table.add((showsUses ? [title, use] : [title]) + numbers)
    }
    table.add(
      (showsUses ? ["OWNER", "USE"] : ["OWNER"]) + ["BYTES", "SHARE", "ENTRIES", "CLAIMED"])
    if showsUses {
      for account in accounts.accounts {
        guard let owner = account.owner else { continue }
        add(owner.holder.title, owner.use.title, OwnerAccounts.Sum(account))
      }
    } else {
      for (holder, sum) in accounts.sumsByHolder { add(holder.title, "", sum) }
    }
    add("no owner", "", OwnerAccounts.Sum(accounts.unowned))
    var all = OwnerAccounts.Sum()
    for account in accounts.accounts + [accounts.unowned] { all.add(account) }
    add("all", "", all)
    return table
  }

  private var disputes: [String] {
    guard !accounts.disputes.isEmpty else { return [] }
    let shownCount = 4
    var lines = ["  \(byteText(accounts.disputedByteCount)) are claimed twice"]
    for dispute in accounts.disputes.prefix(shownCount) {
      let first = dispute.owner?.title ?? "no owner"
      let isSame = dispute.owner == dispute.otherOwner
      let other = isSame ? "twice" : "and by \(dispute.otherOwner?.title ?? "no owner")"
      lines.append("    \(dispute.range) by \(first), \(other)")
    }
    let hiddenCount =
      UInt64(max(accounts.disputes.count - shownCount, 0)) + accounts.omittedDisputeCount
    if hiddenCount > 0 { lines.append("    and \(hiddenCount) stretches more") }
    return lines
  }
}

/// A share for people: `57.3 %`.
func percentText(_ part: UInt64, of whole: UInt64) -> String {
  guard whole > 0 else { return "" }
  // Rounded to tenths, in integers: of 2^64 bytes too.
  let (product, rest) = whole.dividingFullWidth(part.multipliedFullWidth(by: 1000))
  let tenths = product + (rest >= whole - whole / 2 ? 1 : 0)
  return "\(tenths / 10).\(tenths % 10) %"
}
