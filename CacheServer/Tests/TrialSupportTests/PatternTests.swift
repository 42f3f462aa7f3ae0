import Testing
import TrialSupport

@Suite struct PatternTests {
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
}
