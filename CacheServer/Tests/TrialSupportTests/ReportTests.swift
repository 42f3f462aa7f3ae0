import Testing
import TrialSupport

@Suite struct ReportTests {
  @Test func reportsSayWhatDidNotHold() {
    var report = Report(title: "t")
    #expect(!report.isHeld)
    report.claims.append(.init(text: "a", isHeld: true, detail: ""))
    #expect(report.isHeld)
    report.claims.append(.init(text: "b \"c\"", isHeld: false, detail: "1\n2"))
    #expect(!report.isHeld)
    var table = Report.Table("x", [("A", "a"), ("B", "b")])
    table.add([.words("one"), .measured(1.5)])
    table.add([.words("two"), .measured(nil)])
    report.tables.append(table)
    #expect(report.text.contains("NOT HELD  b \"c\": 1\n2"))
    #expect(report.text.contains("x\n  A       B\n  one  1.50\n  two     ·"))
    #expect(
      report.json.text.contains(
        #"{"claim": "b \"c\"", "held": false, "detail": "1\n2"}"#))
    #expect(
      report.json.text.contains(#""rows": [{"a": "one", "b": 1.5}, {"a": "two", "b": null}]"#))
  }
}
