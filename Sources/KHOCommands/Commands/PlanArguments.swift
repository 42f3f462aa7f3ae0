internal import ArgumentParser
internal import KexecHandover

/// How many blocks of which orders: `0:1000000,9:5000`.
struct WorkloadArgument: ExpressibleByArgument {
  /// Sorted by order, none twice, no count 0.
  let counts: [(order: Int, count: UInt64)]

  init?(argument: String) {
    var counts: [(order: Int, count: UInt64)] = []
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      let numbers = part.split(separator: ":", omittingEmptySubsequences: false)
      guard numbers.count == 2, let order = UInt8(numbers[0]), order <= 51,
        let count = parseNumber(numbers[1]), count > 0, count < 1 << 52
      else {
        invalid("it is not ORDER:COUNT, more after commas; an order is 0 to 51")
        return nil
      }
      counts.append((Int(order), count))
    }
    self.counts = counts.sorted { $0.order < $1.order }
    guard Set(counts.map(\.order)).count == counts.count else {
      invalid("it names an order twice")
      return nil
    }
  }
}

/// What boot reserves: below 4 GiB, and above.
struct BootMemoryArgument: ExpressibleByArgument {
  let low: UInt64
  let high: UInt64

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    guard parts.count == 2, let low = parseNumber(parts[0]), let high = parseNumber(parts[1]),
      low <= 1 << 52, high <= 1 << 52
    else {
      invalid("it is not LOW,HIGH, two sizes up to 4096T")
      return nil
    }
    self.low = low
    self.high = high
  }
}

/// The value of `kho_scratch=`.
struct ScratchArgument: ExpressibleByArgument {
  let request: ScratchRequest

  init?(argument: String) {
    guard let request = try? ScratchRequest(parsing: argument) else {
      invalid("it is not LOW,GLOBAL,PERNODE, three sizes, or PERCENT%")
      return nil
    }
    self.request = request
  }
}
