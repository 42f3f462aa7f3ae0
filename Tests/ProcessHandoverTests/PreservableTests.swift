import KexecHandover
import Testing

private struct Gap: Preservable { var first: UInt32, second: UInt64 }
private struct Sorted: Preservable { var second: UInt64, first: UInt32 }
private struct Inner: Preservable { var one: UInt8, two: UInt16 }
private struct Outer: Preservable { var inner: Inner, other: UInt32 }
private struct Flag: Preservable { var number: UInt64, flag: Bool }
private enum Choice: UInt8, BitwiseCopyable { case one = 1, two = 2 }
private struct Chosen: Preservable { var number: UInt64, choice: Choice }
private struct Maybe: Preservable { var number: UInt64, maybe: UInt32? }
private struct Pair: Preservable {
  var pair: (UInt64, Double, Float, UInt32), address: PhysicalAddress
}

/// Which types are stored.
@Suite struct PreservableTests {
  private func fault<Value: Preservable>(_ value: Value) throws -> String? {
    var memory = try PreservedMemory(creating: .memfd(name: "values"), byteCount: 1 << 18)
    do throws(PreservedMemoryError) {
      _ = try memory.value(named: "value", initially: value)
      return nil
    } catch {
      #expect(try memory.names() == [])
      guard case .typeNotPreservable(let reason) = error else { throw error }
      return reason
    }
  }

  @Test func typesWithUndefinedBytesAreRefused() throws {
    let gap = try #require(try fault(Gap(first: 1, second: 2)))
    #expect(gap.contains("Gap have 4 undefined bytes"))
    let outer = try #require(try fault(Outer(inner: Inner(one: 1, two: 2), other: 3)))
    #expect(outer.contains("Outer have 1 undefined bytes"))
    for reason in [
      try fault(Flag(number: 1, flag: true)), try fault(Chosen(number: 1, choice: .two)),
      try fault(Maybe(number: 1, maybe: nil)),
    ] {
      #expect(reason?.contains("not every bit pattern") == true, "\(reason ?? "stored")")
    }
  }

  @Test func numbersAndStructuresOfThemAreStored() throws {
    #expect(try fault(Sorted(second: 2, first: 1)) == nil)
    #expect(try fault(Pair(pair: (1, 2, 3, 4), address: .zero)) == nil)
    #expect(try fault(7 as UInt8) == nil)
    #expect(try fault(7.5 as Double) == nil)
    #expect(try fault(PhysicalAddress(4)) == nil)
  }
}
