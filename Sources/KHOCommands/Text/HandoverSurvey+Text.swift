internal import KexecHandover

extension HandoverSurvey {
  /// The handover for people, line by line.
  func description(_ records: RecordsOfHandover, findings: [HandoverFinding]) -> [String] {
    let version = deviceTree?.compatible.map { printable($0) } ?? "unknown version"
    var lines = ["\(title): \(version)"]
    if let pages, let map = deviceTree?.map {
      lines += overview(pages, map).lines(indent: "  ")
      lines += orderTable(pages)
    }
    lines += subtreeTable()
    lines += records.description
    if let error {
      let isPartial = (pages?.entryCount ?? 0) > 0
      let verdict = isPartial ? "only a part can be read" : "cannot be read"
      lines.append("  \(verdict): \(error.sentence)")
      if !isPartial, case .pages = error {
        lines.append("    (the nodes of an incoming handover are free memory once it was read)")
      }
    }
    if !findings.isEmpty {
      lines.append("  findings")
      let omittedCount = omittedFindingCount &+ records.findings.omittedCount
      lines += findingLines(findings, omittedCount: omittedCount).map { "    " + $0 }
    }
    return lines
  }

  private func overview(_ pages: PreservedPagesSurvey, _ map: PhysicalAddress) -> TextTable {
    var table = TextTable([.left, .left])
    let pageSize = byteText(UInt64(geometry.pageByteCount))
    let isChunkList = deviceTree?.version == .v1
    table.add([isChunkList ? "chunks from" : "tree root", "\(map), \(pageSize) pages"])
    table.add([
      "preserved",
      "\(byteText(pages.preservedByteCount)) in \(countText(pages.entryCount, "entry", "entries"))",
    ])
    table.add(["metadata", "\(byteText(pages.metadataByteCount)): \(nodesText(pages))"])
    return table
  }

  private func nodesText(_ pages: PreservedPagesSurvey) -> String {
    let counts = pages.nodeCountByLevel
    if deviceTree?.version == .v1 {
      return "\(countText(counts[0], "bitmap")) in \(countText(counts[1], "chunk"))"
    }
    let byLevel = counts.map(String.init).joined(separator: ", ")
    return "\(countText(counts.reduce(0, +), "node")), by level from the leaves up: \(byLevel)"
  }

  private func orderTable(_ pages: PreservedPagesSurvey) -> [String] {
    guard pages.entryCount > 0 else { return [] }
    var table = TextTable([.right, .right, .right, .right])
    table.add(["order", "block", "entries", "bytes"])
    for (order, count) in ordersInUse {
      let size = geometry.blockByteCount(order)
      let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
      table.add(["\(order)", byteText(size), "\(count)", byteText(overflow ? .max : bytes)])
    }
    return table.lines(indent: "    ")
  }

  private func subtreeTable() -> [String] {
    guard !subtrees.isEmpty else { return [] }
    var table = TextTable([.left, .right, .right, .left])
    for subtree in subtrees {
      table.add([
        printable(subtree.subtree.name), "\(subtree.subtree.address)",
        subtree.byteCount.map(byteText) ?? "size unknown",
        subtree.isPreserved ? "preserved" : "NOT PRESERVED",
      ])
    }
    return ["  blobs"] + table.lines(indent: "    ")
  }
}
