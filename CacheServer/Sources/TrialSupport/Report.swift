/// What a trial has found.
public struct Report: Sendable {
  /// What was to be shown.
  public struct Claim: Sendable {
    /// In words.
    public let text: String
    /// Whether it was.
    public let isHeld: Bool
    /// The figures behind it.
    public let detail: String

    /// A claim.
    public init(text: String, isHeld: Bool, detail: String) {
      self.text = text
      self.isHeld = isHeld
      self.detail = detail
    }
  }

  /// Rows of values.
  public struct Table: Sendable {
    /// What it shows.
    public let title: String
    /// A column's heading for people, its name in JSON.
    public typealias Column = (heading: String, name: String)
    let columns: [Column]
    var rows: [[Cell]] = []

    /// A table without rows.
    public init(_ title: String, _ columns: [Column]) {
      self.title = title
      self.columns = columns
    }

    /// Adds a row, of as many cells as there are columns.
    public mutating func add(_ cells: [Cell]) {
      precondition(cells.count == columns.count, "a row has a cell for each column")
      rows.append(cells)
    }

    var lines: [String] {
      var text = TextTable(
        columns.indices.map { column in
          rows.first?[column].isNumber == true ? .right : .left
        })
      text.add(columns.map(\.heading))
      for row in rows { text.add(row.map(\.text)) }
      return [title] + text.lines(indent: "  ")
    }

    var json: JSONValue {
      .object([
        ("title", .string(title)),
        (
          "rows",
          .array(
            rows.map { row in
              .object(zip(columns, row).map { ($0.name, $1.value) })
            })
        ),
      ])
    }
  }

  /// A cell: as people read it, and as programs do.
  public struct Cell: Sendable {
    let text: String
    let value: JSONValue
    let isNumber: Bool

    /// Words.
    public static func words(_ text: String) -> Cell {
      Cell(text: text, value: .string(text), isNumber: false)
    }

    /// A count.
    public static func count(_ number: Int) -> Cell {
      Cell(text: String(number), value: .integer(Int64(number)), isNumber: true)
    }

    /// A measurement; nil if none exists.
    public static func measured(_ number: Double?, _ text: String? = nil) -> Cell {
      guard let number else { return Cell(text: "·", value: .null, isNumber: true) }
      return Cell(text: text ?? shortDecimal(number), value: .number(number), isNumber: true)
    }

    /// The least and the greatest.
    public static func range(_ samples: Samples, _ format: (Double) -> String) -> Cell {
      guard let least = samples.least, let greatest = samples.greatest else {
        return Cell(text: "·", value: .null, isNumber: true)
      }
      return Cell(
        text: "\(format(least))…\(format(greatest))",
        value: .array([.number(least), .number(greatest)]), isNumber: true)
    }
  }

  /// The trial.
  public let title: String
  /// The machine, in words.
  public let machine: String
  /// What was measured.
  public var tables: [Table] = []
  /// What was to be shown.
  public var claims: [Claim] = []
  /// What else there is to say.
  public var notes: [String] = []

  /// Nothing yet.
  public init(title: String) {
    self.title = title
    machine = "Linux \(SystemCalls.kernelRelease), \(SystemCalls.coreCount) cores"
  }

  /// Whether all claims hold, and there is one.
  public var isHeld: Bool { !claims.isEmpty && claims.allSatisfy(\.isHeld) }

  /// For people.
  public var text: String {
    var lines = ["\(title) (\(machine))"]
    for table in tables { lines += [""] + table.lines }
    if !notes.isEmpty { lines += [""] + notes }
    lines.append("")
    for claim in claims {
      let detail = claim.detail.isEmpty ? "" : ": \(claim.detail)"
      lines.append("\(claim.isHeld ? "held    " : "NOT HELD")  \(claim.text)\(detail)")
    }
    return lines.joined(separator: "\n")
  }

  /// For programs.
  public var json: JSONValue {
    .object([
      ("trial", .string(title)), ("machine", .string(machine)), ("held", .bool(isHeld)),
      ("tables", .array(tables.map(\.json))),
      ("notes", .array(notes.map { .string($0) })),
      (
        "claims",
        .array(
          claims.map {
            .object([
              ("claim", .string($0.text)), ("held", .bool($0.isHeld)),
              ("detail", .string($0.detail)),
            ])
          })
      ),
    ])
  }
}
