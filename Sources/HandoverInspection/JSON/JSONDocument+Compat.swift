extension JSONDocument {
  /// Whether one kernel understands what another hands over: schema `kho-compat/1`.
  public static func compat(_ result: Compatibility) -> JSONValue {
    make(
      "kho-compat/1",
      [
        "from": result.writer.name, "to": result.reader.name, "verdict": result.verdict.rawValue,
        "firstObstacle": result.firstObstacle?.name,
        "formats": result.rows.map { row in
          JSONValue([
            "name": row.name, "verdict": row.verdict.rawValue, "written": row.written.strings,
            "writtenSource": row.written.sourceIfKnown, "understood": row.understood.strings,
            "understoodSource": row.understood.sourceIfKnown,
            "consequence": row.consequence?.sentence,
            "consequenceBasis": row.consequence?.basis.rawValue,
          ])
        },
      ])
  }

  /// The formats of all releases of which something is known: schema `kho-compat-list/1`.
  public static func catalogue() -> JSONValue {
    make(
      "kho-compat-list/1",
      [
        "releases": FormatCatalogue.releases.map { release in
          let formats = HandoverFormat.allCases.compactMap { format in
            release.facts[format].flatMap { fact in
              fact.strings.map {
                JSONValue.Member(
                  format.rawValue, JSONValue(["strings": $0, "source": fact.source]))
              }
            }
          }
          return JSONValue(["release": release.name, "formats": JSONValue.object(formats)])
        }
      ])
  }
}

extension FormatFact {
  fileprivate var sourceIfKnown: String? { strings == nil ? nil : source }
}
