internal import ArgumentParser
internal import KexecHandover

/// The names of the commands, and the answer to an unknown name.
enum CommandNames {
  private static var all: [String] {
    KHO.configuration.subcommands.filter { $0.configuration.shouldDisplay }
      .map { $0._commandName }
  }

  /// Why the first argument does not name a command; nil where it does, or is an option.
  static func complaint(about arguments: [String], isJSON: Bool) -> String? {
    guard let name = arguments.first, !name.hasPrefix("-") else { return nil }
    let known = KHO.configuration.subcommands.map { $0._commandName } + ["help"]
    guard !known.contains(name) else { return nil }
    let whole = all.first { $0.hasPrefix(name) || name.hasPrefix($0) }.map {
      (name: $0, distance: 0)
    }
    let nearest =
      whole
      ?? all.map { (name: $0, distance: distance(name, $0)) }
      .min { $0.distance < $1.distance }
    // A command of five letters has room for two mistakes.
    let suggestion = nearest.flatMap { nearest in
      nearest.distance <= max(1, nearest.name.count / 2 - 1) || nearest.name.hasPrefix(name)
        ? "; did you mean '\(nearest.name)'?" : nil
    }
    return "unknown command '\(printable(name))'"
      + (suggestion ?? "; the commands are \(all.joined(separator: ", "))")
      + (isJSON ? "" : "\nUsage: kho <command> …\n  See 'kho --help' for more information.")
  }

  /// How many letters must be put in, taken out, replaced, or swapped with their neighbour to make one
  /// word of the other.
  static func distance(_ one: String, _ other: String) -> Int {
    let one = Array(one.lowercased().prefix(64))
    let other = Array(other.lowercased())
    var rows = [Array(0...other.count)]
    for (index, letter) in one.enumerated() {
      var row = [index + 1]
      for (column, wanted) in other.enumerated() {
        let replaced = rows[index][column] + (letter == wanted ? 0 : 1)
        var best = min(replaced, rows[index][column + 1] + 1, row[column] + 1)
        if index > 0, column > 0, letter == other[column - 1], one[index - 1] == wanted {
          best = min(best, rows[index - 1][column - 1] + 1)
        }
        row.append(best)
      }
      rows.append(row)
    }
    return rows[one.count][other.count]
  }
}
