internal import KexecHandover

/// A map as one page of HTML that needs nothing else: no network, no other file.
struct MapHTML {
  /// How many stretches of preserved memory the page holds, and of nodes.
  static let segmentLimit = 1 << 16

  let bytes: [UInt8]
  /// Whether neighbours were merged, so that a segment may be more than one entry.
  let isMerged: Bool

  init(_ subject: MapSubject, segmentLimit: Int = segmentLimit) {
    let owners = MapOwners(subject.survey.owners(in: subject.memory))
    let shift = UInt64(subject.geometry.shift)
    var segments = MapSegments(limit: segmentLimit)
    subject.survey.forEachOwnedRun(in: subject.memory) { run in
      guard let shown = run.range.intersection(subject.range), let last = shown.last else { return }
      let first = shown.start.rawValue >> shift
      segments.add(
        firstPage: first, pageCount: (last.rawValue >> shift) - first + 1,
        order: Int(run.order.rawValue), owner: owners.number(of: run.owner))
    }
    var nodes = MapSegments(limit: segmentLimit)
    var latest: UInt64?
    for node in subject.pages.nodes where subject.range.contains(node) {
      // Of kho-v1, several small bitmaps may be in one page.
      let page = node.rawValue >> shift
      if page != latest { nodes.add(firstPage: page, pageCount: 1, order: 0, owner: -1) }
      latest = page
    }
    isMerged = segments.log2MergedPageCount > 0 || nodes.log2MergedPageCount > 0
    let data = Self.data(subject, owners, segments, nodes)
    bytes = Array(Self.page(subject, owners, segments, data).utf8)
  }

  // MARK: Data

  private static func data(
    _ subject: MapSubject, _ owners: MapOwners, _ segments: MapSegments, _ nodes: MapSegments
  ) -> String {
    let shift = UInt64(subject.geometry.shift)
    func pages(_ range: PhysicalRange) -> String {
      let first = range.start.rawValue >> shift
      return "[\(first),\(((range.last ?? range.start).rawValue >> shift) - first + 1)]"
    }
    let titles = owners.owners.map { owner in
      "[\(scriptString(owner.title)),\(owner.entryCount),\(owner.byteCount)]"
    }
    let orders = subject.survey.ordersInUse.map { "\($0.order)" }
    return """
      {"pageShift":\(shift),"view":\(pages(subject.range)),
      "deviceTree":\(subject.deviceTreeRange.map(pages) ?? "null"),
      "scratch":[\(subject.scratch.map(pages).joined(separator: ","))],
      "orders":[\(orders.joined(separator: ","))],
      "colors":{"orders":[\(MapColor.orders.map { "\"\($0)\"" }.joined(separator: ","))],
      "node":"\(MapColor.node)","deviceTree":"\(MapColor.deviceTree)","scratch":"\(MapColor.scratch)"},
      "nodeName":"\(subject.survey.deviceTree?.version == .v1 ? "bitmap or chunk" : "node of the tree")",
      "unowned":\(owners.number(of: nil)),
      "owners":[\(titles.joined(separator: ",\n"))],
      "segments":[\(segments.numbers)],
      "nodes":[\(nodes.numbers)]}
      """
  }

  // MARK: Page

  /// The text of a file that is part of the program.
  private static func text(_ resource: [UInt8]) -> String {
    String(decoding: resource, as: UTF8.self)
  }

  private static func page(
    _ subject: MapSubject, _ owners: MapOwners, _ segments: MapSegments, _ data: String
  ) -> String {
    let survey = subject.survey
    let version = escaped(printable(survey.deviceTree?.compatible ?? "unknown version"))
    let facts = [
      ("preserved", byteText(subject.pages.preservedByteCount)),
      ("entries", "\(subject.pages.entryCount)"),
      ("metadata", byteText(subject.pages.metadataByteCount)),
      ("blobs", "\(survey.subtrees.count)"), ("owners", "\(owners.owners.count)"),
      ("pages", byteText(UInt64(subject.geometry.pageByteCount))),
    ]
    let shown = facts.map { "<div><dt>\($0.0)</dt><dd>\($0.1)</dd></div>" }.joined()
    let merged =
      segments.log2MergedPageCount == 0
      ? ""
      : "<p class=\"note\">There are too many entries for a page: neighbours within "
        + byteText(
          UInt64(subject.geometry.pageByteCount) << UInt64(segments.log2MergedPageCount))
        + " are drawn as one, with the order and the owner of most of their memory. The tables are "
        + "exact.</p>"
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
      style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>Handover map: \(escaped(printable(path: subject.name)))</title>
      <style>\(text(PackageResources.map_css))</style>
      </head>
      <body>
      <header>
        <div><h1>Handover map</h1>
        <p class="path"><bdi>\(escaped(printable(path: subject.name)))</bdi> · \(survey.title) · \(version)</p></div>
        <dl class="facts">\(shown)</dl>
        <button id="theme" type="button">Dark</button>
      </header>
      <main>
      \(merged)
      \(text(PackageResources.map_body_html))
      <section aria-labelledby="orders-title"><h2 id="orders-title">By order</h2>
      \(orderTable(subject))</section>
      <section class="wide" aria-labelledby="owners-title"><h2 id="owners-title">By owner</h2>
      <div id="treemap" role="list" aria-label="Owners, each as large as its share"></div>
      <details><summary>As a table</summary>\(ownerTable(owners))</details></section>
      </main>
      <script type="application/json" id="data">\(data)</script>
      <script>\(text(PackageResources.map_js))</script>
      </body>
      </html>

      """
  }

  private static func orderTable(_ subject: MapSubject) -> String {
    let total = Double(max(subject.pages.preservedByteCount, 1))
    var rows = ""
    for (order, count) in subject.survey.ordersInUse {
      let size = subject.geometry.blockByteCount(order)
      let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
      let share = overflow ? 1 : min(Double(bytes) / total, 1)
      let permille = Int((share * 1000).rounded())
      rows += """
        <tr><th scope="row"><i class="key" style="background:\(MapColor.order(Int(order.rawValue)))"></i>\
        \(order)</th><td>\(byteText(size))</td><td>\(count)</td>\
        <td>\(byteText(overflow ? .max : bytes))</td>\
        <td class="bar"><i style="width:\(permille / 10).\(permille % 10)%;\
        background:\(MapColor.order(Int(order.rawValue)))"></i></td></tr>

        """
    }
    return """
      <table><thead><tr><th scope="col">order</th><th scope="col">block</th>\
      <th scope="col">entries</th><th scope="col">bytes</th><th scope="col" class="bar">share</th></tr></thead>
      <tbody>\(rows)</tbody></table>
      """
  }

  private static func ownerTable(_ owners: MapOwners) -> String {
    let rows = owners.owners.map { owner in
      "<tr><th scope=\"row\"><bdi>\(escaped(owner.title))</bdi></th><td>\(owner.entryCount)</td>"
        + "<td>\(byteText(owner.byteCount))</td></tr>"
    }
    return """
      <table><thead><tr><th scope="col">owner</th><th scope="col">entries</th>\
      <th scope="col">bytes</th></tr></thead>
      <tbody>\(rows.joined(separator: "\n"))</tbody></table>
      """
  }
}

/// `text` as a string of JSON that may be inside an element of HTML: nothing in it ends the element
/// or begins another.
func scriptString(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"", "\\": result += "\\\(scalar)"
    case "<", ">", "&", "'", "\u{2028}", "\u{2029}", "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}":
      let digits = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
