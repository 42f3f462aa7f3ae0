internal import KexecHandover

/// Prints entries as they are read, without keeping them.
enum EntryPrinter {
  private static let pieceByteCount = 1 << 15

  /// A line `PHYS ORDER` for each entry.
  static func printPlain(_ survey: HandoverSurvey, in memory: MemoryImage, _ filter: EntryFilter) {
    let console = Console.current
    // There may be hundreds of millions: digits straight into bytes, in large pieces.
    var lines: [UInt8] = []
    lines.reserveCapacity(pieceByteCount + 64)
    survey.forEachBlock(in: memory, filter) { block in
      lines.appendHexadecimal(block.address.rawValue)
      lines.append(UInt8(ascii: " "))
      lines.appendDecimal(block.order)
      lines.append(UInt8(ascii: "\n"))
      if lines.count >= pieceByteCount {
        console.write(lines)
        lines.removeAll(keepingCapacity: true)
      }
      return console.isWritable
    }
    console.write(lines)
  }

  /// A line for each entry, with a heading.
  static func printTable(_ survey: HandoverSurvey, in memory: MemoryImage, _ filter: EntryFilter) {
    let console = Console.current
    console.print("           ADDRESS  ORDER  SIZE")
    survey.forEachBlock(in: memory, filter) { block in
      let size = byteText(survey.geometry.blockByteCount(block.order))
      console.print(
        "\(padded(block.address.description, to: 18))  \(padded("\(block.order)", to: 5))  \(size)")
      return console.isWritable
    }
  }

  /// A line for each run, with a heading.
  static func printRanges(_ survey: HandoverSurvey, in memory: MemoryImage, _ filter: EntryFilter) {
    let console = Console.current
    console.print("             FIRST                LAST  ORDER      BLOCKS  SIZE")
    survey.forEachRun(in: memory, filter) { run in
      let range = run.range(in: survey.geometry)
      let last = (range.last ?? range.start).description
      console.print(
        "\(padded(run.address.description, to: 18))  \(padded(last, to: 18))  "
          + "\(padded("\(run.order)", to: 5))  \(padded("\(run.blockCount)", to: 10))  "
          + byteText(range.byteCount))
      return console.isWritable
    }
  }

  /// Schema `kho-pages/2`: the entries, or runs of them, of each handover.
  static func printJSON(
    _ surveys: [HandoverSurvey], in memory: MemoryImage, _ filter: EntryFilter, asRanges: Bool
  ) {
    let console = Console.current
    console.write(#"{"schema":"kho-pages/2","handovers":["#)
    for (index, survey) in surveys.enumerated() {
      let address = survey.address.map { "\($0.rawValue)" } ?? "null"
      console.write(
        "\(index == 0 ? "" : ",")\n{\"fdtAddress\":\(address),"
          + "\"pageShift\":\(survey.geometry.shift),\"\(asRanges ? "ranges" : "entries")\":[")
      // Text, not values: there may be hundreds of millions.
      var separator = "\n"
      func write(_ text: String) -> Bool {
        console.write(separator + text)
        separator = ",\n"
        return console.isWritable
      }
      if asRanges {
        survey.forEachRun(in: memory, filter) { run in
          write(
            "{\"address\":\(run.address.rawValue),\"order\":\(run.order),\"blockCount\":"
              + "\(run.blockCount),\"bytes\":\(run.range(in: survey.geometry).byteCount)}")
        }
      } else {
        survey.forEachBlock(in: memory, filter) { block in
          write("{\"address\":\(block.address.rawValue),\"order\":\(block.order)}")
        }
      }
      console.write("]}")
    }
    console.print("\n]}")
  }
}

private func padded(_ text: String, to width: Int) -> String {
  String(repeating: " ", count: max(0, width - text.count)) + text
}

extension [UInt8] {
  @inline(__always)
  fileprivate mutating func appendHexadecimal(_ value: UInt64) {
    var shift = Swift.max(0, 60 - value.leadingZeroBitCount / 4 * 4)
    while shift >= 0 {
      let digit = UInt8(truncatingIfNeeded: value >> UInt64(shift)) & 15
      append(digit < 10 ? digit + UInt8(ascii: "0") : digit - 10 + UInt8(ascii: "a"))
      shift -= 4
    }
  }

  @inline(__always)
  fileprivate mutating func appendDecimal(_ order: PageOrder) {
    let value = order.rawValue
    if value >= 10 { append(value / 10 + UInt8(ascii: "0")) }
    append(value % 10 + UInt8(ascii: "0"))
  }
}
