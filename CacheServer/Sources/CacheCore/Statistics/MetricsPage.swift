/// A page of figures in the text format of Prometheus, version 0.0.4.
struct MetricsPage {
  private(set) var text = ""

  /// Adds a figure with its samples: the labels of each, and its value. Without samples, adds nothing.
  mutating func add(
    _ name: String, _ kind: String, _ help: String, _ samples: [(labels: String, value: String)]
  ) {
    guard !samples.isEmpty else { return }
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
    for (labels, value) in samples {
      text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }
  }

  /// Adds a figure that can go up and down.
  mutating func gauge(_ name: String, _ help: String, _ value: some CustomStringConvertible) {
    add(name, "gauge", help, [("", value.description)])
  }

  /// Adds a figure that only goes up.
  mutating func counter(_ name: String, _ help: String, _ value: some CustomStringConvertible) {
    add(name, "counter", help, [("", value.description)])
  }

  /// A label. The value can be any text: characters that end it are escaped.
  static func label(_ name: String, _ value: String) -> String {
    var quoted = ""
    for character in value {
      switch character {
      case "\\": quoted += "\\\\"
      case "\"": quoted += "\\\""
      case "\n": quoted += "\\n"
      default: quoted.append(character)
      }
    }
    return "\(name)=\"\(quoted)\""
  }
}
