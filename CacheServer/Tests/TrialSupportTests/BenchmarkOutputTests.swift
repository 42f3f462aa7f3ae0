import Testing
import TrialSupport

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
