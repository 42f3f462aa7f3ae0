internal import KexecHandover

/// Prints what differs, stretches of entries as they are found.
struct DiffPrinter {
  private let diff: HandoverDiff
  private let console = Console.current

  init(_ diff: HandoverDiff) { self.diff = diff }

  private func complainAboutCut() {
    guard diff.areRecordsCut else { return }
    console.complain(
      "the handovers have more records; the first \(HandoverContents.Options().recordLimit) were "
        + "compared")
  }

  // MARK: Text

  /// Prints lines for people.
  ///
  /// - Returns: whether the handovers are equal.
  func printText() -> Bool {
    console.print("A: \(diff.a.title)")
    console.print("B: \(diff.b.title)")
    for property in diff.properties {
      console.print("\(property.name): \(printable(property.a)) → \(printable(property.b))")
    }
    var hasHeading = false
    let entries = diff.forEachEntryRun { side, run in
      guard console.isWritable else { return }
      if !hasHeading {
        console.print("          FIRST                LAST     BLOCK      BLOCKS  SIZE")
        hasHeading = true
      }
      console.print(
        (side == .a ? "- " : "+ ") + padded("0x" + String(run.address, radix: 16), to: 13) + "  "
          + padded("0x" + String(run.last, radix: 16), to: 18) + "  "
          + padded(byteText(run.blockByteCount), to: 8) + "  " + padded("\(run.blockCount)", to: 10)
          + "  " + byteText(run.byteCount))
    }
    let isSame = diff.isSame(entries)
    if hasHeading {
      console.print("only in A (-): \(text(entries.onlyA))")
      console.print("only in B (+): \(text(entries.onlyB))")
      console.print("in both:       \(text(entries.common))")
    }
    for blob in diff.blobs { console.print(line(blob)) }
    for record in diff.records { for line in lines(record) { console.print(line) } }
    complainAboutCut()
    if isSame { console.print("no difference in \(text(entries.common))") }
    return isSame
  }

  private func text(_ sum: EntryDifference.Sum) -> String {
    "\(byteText(sum.byteCount)) in \(countText(sum.entryCount, "entry", "entries"))"
  }

  private func line(_ blob: BlobDifference) -> String {
    let name = "blob \"\(printable(blob.name))\""
    guard let mine = blob.a else { return "\(name): only in B" }
    guard let theirs = blob.b else { return "\(name): only in A" }
    var changes: [String] = []
    if mine.subtree.address != theirs.subtree.address {
      changes.append("address \(mine.subtree.address) → \(theirs.subtree.address)")
    }
    if mine.byteCount != theirs.byteCount {
      changes.append(
        "size \(mine.byteCount.map(byteText) ?? "unknown") → "
          + (theirs.byteCount.map(byteText) ?? "unknown"))
    }
    if blob.bytesDiffer == true { changes.append("other bytes") }
    return "\(name): \(changes.joined(separator: ", "))"
  }

  private func lines(_ record: RecordDifference) -> [String] {
    if record.a == nil { return ["\(record.title): only in B"] }
    if record.b == nil { return ["\(record.title): only in A"] }
    let texts = record.fields.map { field in
      "\(field.name) \(field.a?.text ?? "·") → \(field.b?.text ?? "·")"
    }
    return ["\(record.title): \(texts.joined(separator: ", "))"]
  }

  // MARK: JSON

  /// Prints schema `kho-diff/2`.
  ///
  /// - Returns: whether the handovers are equal.
  func printJSON() -> Bool {
    console.write(#"{"schema":"kho-diff/2","a":"#)
    console.writeJSON(diff.a.json)
    console.write(#","b":"#)
    console.writeJSON(diff.b.json)
    console.write(#","ranges":["#)
    var separator = "\n"
    let entries = diff.forEachEntryRun { side, run in
      guard console.isWritable else { return }
      console.write(separator)
      console.writeJSON(run.json(only: side))
      separator = ",\n"
    }
    console.write("]")
    for member in diff.members(entries) {
      console.write(",\n\"\(member.name)\":")
      console.writeJSON(member.value)
    }
    console.print("}")
    return diff.isSame(entries)
  }
}

private func padded(_ text: String, to width: Int) -> String {
  String(repeating: " ", count: max(0, width - text.count)) + text
}

extension DecodedRecord.Value {
  fileprivate var text: String {
    switch self {
    case .text(let text): printable(text)
    case .number(let number): "\(number)"
    case .byteCount(let byteCount): byteText(byteCount)
    case .address(let address): "\(address)"
    }
  }
}

extension HandoverDiff.Side {
  /// The handover for people.
  fileprivate var title: String {
    "\(printable(path: name)), \(survey.title): \(printable(survey.deviceTree?.compatible ?? "?")), "
      + "\(byteText(UInt64(survey.geometry.pageByteCount))) pages"
  }
}
