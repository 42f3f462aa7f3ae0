import MemoryAccess

/// A text of metrics, in the format of OpenMetrics 1.0 that readers of Prometheus's text format 0.0.4 take
/// as well: gauges, each with its help, its type and, where it has one, its unit.
///
/// Source: https://prometheus.io/docs/specs/om/open_metrics_spec/
package struct OpenMetrics {
  private var lines = ""

  package init() {}

  /// One number of a family, with its labels.
  package struct Sample {
    package let labels: [(name: String, value: String)]
    package let value: UInt64

    package init(_ value: UInt64, _ labels: [(name: String, value: String)]) {
      self.value = value
      self.labels = labels
    }
  }

  /// Adds a family of gauges; one without samples is left out.
  ///
  /// - Parameters:
  ///   - name: a metric's name, which ends with its unit.
  ///   - unit: nil for none.
  package mutating func add(_ name: String, unit: String? = nil, help: String, _ samples: [Sample])
  {
    guard !samples.isEmpty else { return }
    lines += "# TYPE \(name) gauge\n"
    if let unit { lines += "# UNIT \(name) \(unit)\n" }
    lines += "# HELP \(name) \(Self.escaped(help))\n"
    for sample in samples {
      lines += name
      if !sample.labels.isEmpty {
        let labels = sample.labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }
        lines += "{\(labels.joined(separator: ","))}"
      }
      lines += " \(sample.value)\n"
    }
  }

  /// The whole text.
  package var text: String { lines + "# EOF\n" }

  /// A value of a label: backslash, quotation mark and line feed are escaped. Other characters that are not
  /// shown as themselves are written as `\u{…}`: a name in an image may hold any.
  package static func escaped(_ value: String) -> String {
    var result = ""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\"": result += "\\\""
      case "\n": result += "\\n"
      default:
        if scalar.isShownAsItself {
          result.unicodeScalars.append(scalar)
        } else {
          result += "\\\\u{\(String(scalar.value, radix: 16))}"
        }
      }
    }
    return result
  }
}
