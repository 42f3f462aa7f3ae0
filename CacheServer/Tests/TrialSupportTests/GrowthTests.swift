import Testing

@testable import TrialSupport

@Suite struct GrowthTests {
  private func growth(_ values: [Double]) -> Growth {
    var growth = Growth()
    for value in values { growth.add(value) }
    return growth
  }

  @Test func theGreatestOfBothEndsAreCompared() {
    let steady = growth([1, 9, 3, 50, 50, 50, 8, 2, 9])
    #expect(steady.first == 9)
    #expect(steady.last == 9)
    #expect(steady.isBounded(factor: 1, slack: 0))
  }

  @Test func whatGrowsIsNotBounded() {
    let leak = growth((0..<300).map { Double($0) })
    #expect(!leak.isBounded(factor: 1.25, slack: 100))
    #expect(leak.isBounded(factor: 1.25, slack: 200))
  }

  @Test func tooFewTellNothing() {
    #expect(growth([]).last == nil)
    #expect(!growth([1, 1]).isBounded(factor: 2, slack: 2))
    #expect(growth([1, 1, 1]).isBounded(factor: 1, slack: 0))
  }
}
