import CacheTestSupport
import Foundation
import Testing
import TrialSupport

/// kill -9 while clients write: the next start serves every write that was acknowledged.
@Suite struct CrashTests {
  @Test(arguments: [1, 2])
  func acknowledgedWritesStay(seed: UInt64) throws {
    let folder = try Folder()
    let file = folder.path("memory")
    var generator = SplitMix(seed: seed)
    var expected: [String: String] = [:]
    for round in 0..<4 {
      let server = try ServerProcess(file)
      let client = try server.connect()
      let crashes = try client.info("crash_restarts")
      #expect(crashes == "\(round)")
      for (key, value) in expected.sorted(by: { $0.key < $1.key }) {
        try #require(try client.send("GET", key) == value, "seed \(seed), round \(round), \(key)")
      }
      try expectDeadlines(client)
      let batches = 20 + generator.number(below: 60)
      var sent: [(key: String, value: String)] = []
      for batch in 0..<batches {
        sent = []
        var request: [UInt8] = []
        for _ in 0..<32 {
          let key = "key \(generator.number(below: 500))"
          let value =
            "\(round) \(batch) " + String(repeating: "x", count: generator.number(below: 400))
          sent.append((key, value))
          // Some have a deadline, and lose it with the next value.
          let time = generator.number(below: 2) == 0 ? ["EX", "100000"] : []
          request += Wire.request((["SET", key, value] + time).map { Array($0.utf8) })
        }
        // The last one may be half sent.
        let isLast = batch == batches - 1
        try client.write(isLast ? Array(request.dropLast(3)) : request)
        // Killed while it answers, after some of the replies.
        let replies = isLast ? generator.number(below: 31) : sent.count
        for index in 0..<replies {
          try #require(try client.readLine() == "+OK")
          expected[sent[index].key] = sent[index].value
        }
        if isLast {
          try server.crash()
          // What was not acknowledged may be there or not: what is there is whole.
          let next = try ServerProcess(file)
          let reader = try next.connect()
          for key in Set(sent[replies...].map(\.key)) {
            let value = try reader.send("GET", key)
            let possible = sent[replies...].filter { $0.key == key }.map(\.value)
            let old = expected[key] ?? "$-1"
            try #require(value == old || possible.contains(value), "torn: \(key)")
            if value != "$-1" { expected[key] = value }
          }
          let crashes = try reader.info("crash_restarts")
          #expect(crashes == "\(round + 1)")
          try next.end()
        }
      }
    }
  }

  /// The number of entries with a deadline is what counting them gives.
  private func expectDeadlines(_ client: Client) throws {
    try client.write(Wire.request("KEYS", "*"))
    let count = Int(try client.readLine().dropFirst()) ?? 0
    let keys = try (0..<count).map { _ in try client.readReply() }
    let counted = try keys.count { try client.send("TTL", $0) != ":-1" }
    let reported = try client.info("db0") ?? "keys=0,expires=0"
    #expect(reported.hasPrefix("keys=\(count),expires=\(counted)"), "\(reported)")
  }
}
