import Testing
import TrialSupport

@Suite struct StatisticsTests {
  @Test func theMiddleIsTheMedian() {
    #expect(Samples().median == nil)
    #expect(Samples([3]).median == 3)
    #expect(Samples([9, 1, 2]).median == 2)
    #expect(Samples([4, 1, 2, 9]).median == 3)
    var samples = Samples([5, 1])
    samples.add(3)
    #expect(samples.median == 3)
    #expect(samples.least == 1)
    #expect(samples.greatest == 5)
    #expect(Samples([6]).ratio(to: Samples([2])) == 3)
    #expect(Samples([6]).ratio(to: Samples([0])) == nil)
    #expect(Samples([6]).ratio(to: Samples()) == nil)
  }

  @Test func numbersAreWrittenForPeople() {
    #expect(decimal(1.005, 1) == "1.0")
    #expect(decimal(-0.04, 1) == "0.0")
    #expect(decimal(-1.25, 2) == "-1.25")
    #expect(decimal(12.5, 0) == "13")
    #expect(shortDecimal(0.1234) == "0.123")
    #expect(shortDecimal(1234.5) == "1235")
    #expect(byteText(1) == "1 byte")
    #expect(byteText(1536) == "1.50 KiB")
  }

  @Test func patternsFollowFromTheirNumbers() {
    let whole = Pattern.bytes(seed: 7, count: 1000)
    #expect(whole.count == 1000)
    #expect(whole.allSatisfy { (0x21..<0x7f).contains($0) })
    for count in [0, 1, 9, 10, 11, 999] {
      #expect(Pattern.bytes(seed: 7, count: count) == Array(whole[..<count]))
    }
    #expect(Pattern.bytes(seed: 8, count: 1000) != whole)
    #expect(Pattern.seed(1, 2) != Pattern.seed(2, 1))
  }

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

@Suite struct BenchmarkOutputTests {
  @Test func figuresAreTakenFromTheTable() {
    let output = """
      "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
      "SET","406091.25","0.900","0.100","0.863","2.100","10.700","20.000"
      "GET","0.5","1","1","2","3","4","5"

      """
    let figures = BenchmarkFigures.parse(output)
    #expect(figures.map(\.test) == ["SET", "GET"])
    #expect(figures.map(\.requestsPerSecond) == [406091.25, 0.5])
    #expect(figures.map(\.p50) == [0.863, 2])
    #expect(figures.map(\.p99) == [10.7, 4])
    #expect(BenchmarkFigures.errors(in: output) == [])
  }

  @Test func whatIsNoTableGivesNothing() {
    #expect(BenchmarkFigures.parse("").isEmpty)
    #expect(BenchmarkFigures.parse("Could not connect to server: Connection refused").isEmpty)
    #expect(BenchmarkFigures.parse("\"test\",\"rps\"\n\"SET\",\"1\"").isEmpty)
    #expect(BenchmarkFigures.errors(in: "x\nError: Connection reset by peer\n").count == 1)
  }
}
