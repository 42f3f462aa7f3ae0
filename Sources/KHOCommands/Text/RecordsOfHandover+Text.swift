internal import KexecHandover

/// The records for people.
extension RecordsOfHandover {
  /// The records, line by line.
  var description: [String] {
    guard !contents.subtrees.isEmpty else { return [] }
    var lines = ["  records"]
    for subtree in contents.subtrees { lines += self.lines(of: subtree).map { "    " + $0 } }
    if contents.omittedRecordCount > 0 {
      lines.append("    and \(contents.omittedRecordCount) more that are not shown; see --json")
    }
    return lines
  }

  private func lines(of subtree: SubtreeContents) -> [String] {
    let name = printable(subtree.subtree.subtree.name)
    var lines: [String]
    switch subtree.record {
    case .memblock(let regions):
      lines = ["\(name): \(countText(regions.count, "region")) of reserve_mem"]
      lines += Self.table(of: regions).lines(indent: "  ")
    case .kexecMetadata(let metadata):
      lines = [
        "\(name): written by Linux \(printable(metadata.previousRelease)), kexec "
          + "\(metadata.kexecCount)"
      ]
    case .khoTest(let test):
      lines = [
        "\(name): \(countText(test.record.folioCount, "folio")), sum 0x"
          + String(test.record.checksum, radix: 16) + ", listed in \(test.area.description)"
      ]
    case .liveUpdate(let contents): lines = self.lines(of: contents, name)
    case .area(let area): lines = ["\(name): \(area.description)"]
    case .ledger(let ledger):
      lines = [
        "\(name): the ledger of \(countText(ledger.collectionCount, "collection")), which have "
          + "\(byteText(ledger.byteCount)) in \(countText(ledger.pieceCount, "piece"))"
      ]
      if ledger.isChanging {
        lines.append(
          "  a change of collections was being made, which the next process undoes or completes")
      }
    case .collection(let collection):
      lines = [
        "\(name): \(collection.kindText), \(countText(collection.entryCount, "entry", "entries")), "
          + "\(byteText(collection.byteCount)) in \(countText(collection.pieceCount, "piece"))"
      ]
    case nil:
      let problem = subtree.error.map { ": \($0.sentence)" } ?? ": of a format that is not known"
      lines = [name + problem]
      lines += hexadecimalLines(subtree.head).map { "  " + $0 }
      return lines
    }
    if let error = subtree.error { lines.append("  not all of it: \(error.sentence)") }
    return lines
  }

  private static func table(of regions: [MemblockRecord.Region]) -> TextTable {
    var table = TextTable([.left, .left, .right])
    for region in regions {
      switch region.result {
      case .success(let found):
        table.add([printable(region.name), "\(found.range)", byteText(found.range.byteCount)])
      case .failure(let error): table.add([printable(region.name), error.sentence])
      }
    }
    return table
  }

  // MARK: Live Update Orchestrator

  private func lines(of contents: LiveUpdateContents, _ name: String) -> [String] {
    let format = contents.record.format == .structure ? "luo-v5" : "luo-v1"
    var lines = [
      "\(name): \(format), live update \(contents.record.number), "
        + (contents.record.sessions == .zero
          ? "sessions not written yet" : countText(contents.sessions.count, "session"))
    ]
    for data in contents.sharedData {
      lines.append(
        "  shared data \"\(printable(data.name))\": 0x\(String(data.data, radix: 16)), for "
          + countText(data.count, "file"))
    }
    for session in contents.sessions {
      lines.append(
        "  session \"\(printable(session.session.name))\": "
          + countText(session.session.fileCount, "file"))
      lines += filesTable(session).lines(indent: "    ")
      if let error = session.error { lines.append("    not all of it: \(error.sentence)") }
      if showsPageMaps { for file in session.files { lines += map(of: file) } }
    }
    return lines
  }

  private func filesTable(_ session: SessionContents) -> TextTable {
    var table = TextTable([.right, .left, .right, .right, .left, .left, .left])
    guard !session.files.isEmpty else { return table }
    table.add(["TOKEN", "HANDLER", "SIZE", "POSITION", "SEALS", "FOLIOS"])
    for file in session.files {
      var row = ["\(file.file.token)", printable(file.file.handler)]
      if let memfd = file.memfd {
        row += [
          byteText(memfd.record.byteSize), "\(memfd.record.position)", memfd.sealsText,
          memfd.foliosText,
        ]
      } else {
        row += ["", "", "", "data 0x\(String(file.file.data, radix: 16))"]
      }
      if let error = file.error {
        row.append(error.sentence)
      } else if digests != nil, file.memfd != nil {
        row.append(digests?[file.file.data] ?? "not read")
      }
      table.add(row)
    }
    return table
  }

  private func map(of file: FileContents) -> [String] {
    guard let memfd = file.memfd, !memfd.runs.isEmpty else { return [] }
    var table = TextTable([.right, .right, .right, .right, .left])
    table.add(["PAGE", "ADDRESS", "ORDER", "FOLIOS"])
    for run in memfd.runs {
      table.add([
        "\(run.pageIndex)", "\(run.address)", run.order.map { "\($0)" } ?? "no entry",
        "\(run.folioCount)", (run.isDirty ? "dirty" : "clean") + (run.isUpToDate ? "" : ", zeros"),
      ])
    }
    return ["    pages of file \(file.file.token)"] + table.lines(indent: "      ")
  }
}

extension MemfdContents {
  fileprivate var foliosText: String {
    var text = "\(countText(record.folioCount, "folio")), \(byteText(folioByteCount))"
    if holeCount > 0 { text += ", \(countText(holeCount, "hole"))" }
    if staleCount > 0 { text += ", \(staleCount) not up to date" }
    return text
  }

  /// The seals by name, as `fcntl(2)` has them; others as a number.
  fileprivate var sealsText: String {
    let names = ["seal", "shrink", "grow", "write", "future-write", "exec"]
    var words = names.indices.filter { record.seals & 1 << UInt32($0) != 0 }.map { names[$0] }
    let others = record.seals & ~(1 << UInt32(names.count) - 1)
    if others != 0 { words.append("0x\(String(others, radix: 16))") }
    return words.isEmpty ? "none" : words.joined(separator: ",")
  }
}

extension CollectionContents {
  fileprivate var kindText: String { kind == "orderedMap" ? "ordered map" : kind }
}

extension AreaContents {
  fileprivate var description: String {
    "an area of \(countText(area.pageCount, "page")) in \(countText(blockCount, "block")) of order "
      + "\(area.order), named by \(countText(chunkCount, "chunk"))"
  }
}

/// `bytes` as lines of 16, in hexadecimal and, where they are printable, as characters.
private func hexadecimalLines(_ bytes: [UInt8]) -> [String] {
  stride(from: 0, to: bytes.count, by: 16).map { start in
    let line = bytes[start..<min(start + 16, bytes.count)]
    let digits = line.map { hexadecimal([$0]) }.joined(separator: " ")
    let text = line.map { (0x20..<0x7f).contains($0) ? String(UnicodeScalar($0)) : "." }.joined()
    return digits + String(repeating: " ", count: 3 * (16 - line.count) + 2) + text
  }
}
