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
}
