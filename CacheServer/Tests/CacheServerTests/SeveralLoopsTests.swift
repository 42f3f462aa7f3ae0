import CacheTestSupport
import Foundation
import Testing
import TrialSupport

/// A server with four event loops: connections go to them in turn, so four clients in a row are on four of them.
///
/// All clients send before the replies of any are read, so that the event loops work at the same time.
@Suite struct SeveralLoopsTests {
  private let folder: Folder
  private var file: String { folder.path("memory") }
  private static let arguments = ["--io-threads", "4"]

  init() throws { folder = try Folder() }

  /// A command that changes several keys is one step for clients that read them, on every event loop.
  @Test func severalKeysAreOneStep() throws {
    let server = try ServerProcess(file, Self.arguments)
    let writers = try (0..<4).map { _ in try server.connect() }
    let readers = try (0..<4).map { _ in try server.connect() }
    let keys = ["a", "b", "c"]
    #expect(try writers[0].send("MSET", "a", "0", "b", "0", "c", "0") == "+OK")
    for round in 0..<20 {
      for (number, writer) in writers.enumerated() {
        var requests: [UInt8] = []
        for step in 0..<100 {
          let value = "\(round) \(number) \(step)"
          if step % 2 == 0 {
            requests += Wire.request("MSET", "a", value, "b", value, "c", value)
          } else {
            requests += Wire.request("MULTI")
            for key in keys { requests += Wire.request("SET", key, value) }
            requests += Wire.request("EXEC")
          }
        }
        try writer.write(requests)
        var questions: [UInt8] = []
        for step in 0..<100 {
          if step % 2 == 0 {
            questions += Wire.request("MGET", "a", "b", "c")
          } else {
            questions += Wire.request("MULTI")
            // What is about the server is part of the step.
            questions += Wire.request("GET", "a") + Wire.request("CLIENT", "ID")
            questions += Wire.request("GET", "b") + Wire.request("GET", "c") + Wire.request("EXEC")
          }
        }
        try readers[number].write(questions)
      }
      for writer in writers {
        for step in 0..<100 {
          if step % 2 == 0 {
            try #require(try writer.readLine() == "+OK")
          } else {
            let lines = try (0..<8).map { _ in try writer.readLine() }
            try #require(
              lines == ["+OK", "+QUEUED", "+QUEUED", "+QUEUED", "*3", "+OK", "+OK", "+OK"])
          }
        }
      }
      for reader in readers {
        for step in 0..<100 {
          var values: [String] = []
          if step % 2 == 0 {
            try #require(try reader.readLine() == "*3")
            for _ in keys { values.append(try reader.readReply()) }
          } else {
            for _ in 0..<5 { _ = try reader.readLine() }
            try #require(try reader.readLine() == "*4")
            values.append(try reader.readReply())
            try #require(try reader.readLine().hasPrefix(":"))
            for _ in 0..<2 { values.append(try reader.readReply()) }
          }
          try #require(Set(values).count == 1, "round \(round): \(values)")
        }
      }
    }
    try server.end()
  }

  /// Of clients that watch the same key and execute at the same time, one succeeds.
  @Test func watchesReachEveryLoop() throws {
    let server = try ServerProcess(file, Self.arguments)
    let clients = try (0..<8).map { _ in try server.connect() }
    for round in 1...100 {
      for client in clients {
        #expect(try client.send("WATCH", "n") == "+OK")
        #expect(try client.send("GET", "n") == (round == 1 ? "$-1" : "\(round - 1)"))
      }
      for client in clients {
        try client.write(
          Wire.request("MULTI") + Wire.request("INCR", "n") + Wire.request("EXEC"))
      }
      var successCount = 0
      for client in clients {
        #expect(try client.readLine() == "+OK")
        #expect(try client.readLine() == "+QUEUED")
        guard try client.readLine() == "*1" else { continue }
        #expect(try client.readLine() == ":\(round)")
        successCount += 1
      }
      try #require(successCount == 1, "round \(round)")
    }
    try server.end()
  }

  /// `CLIENT LIST`, `PAUSE`, `UNPAUSE` and `KILL` are about the clients of every event loop, from every event loop.
  @Test func clientCommandsReachEveryLoop() throws {
    let server = try ServerProcess(file, Self.arguments)
    #expect(try server.connect().parameter("io-threads") == "4")
    var clients = try (0..<8).map { _ in try server.connect() }
    #expect(try clients[0].info("io_threads") == "4")
    for (index, client) in clients.enumerated() {
      #expect(try client.send("CLIENT", "SETNAME", "c\(index)") == "+OK")
    }
    for client in clients {
      let lines = try client.send("CLIENT", "LIST").split(separator: "\n").filter {
        $0.contains(" name=c")
      }
      #expect(lines.count == 8)
      #expect(lines.allSatisfy { $0.contains(" addr=127.0.0.1:") && !$0.contains(" fd=-1") })
    }
    for (index, client) in clients.enumerated() {
      #expect(try client.send("CLIENT", "PAUSE", "1000000", "WRITE") == "+OK")
      let others = clients.filter { $0 !== client }
      for other in others { try other.write(Wire.request("INCR", "n")) }
      var turns = 0
      while try client.info("blocked_clients") != "\(others.count)" {
        turns += 1
        try #require(turns < 100_000)
      }
      #expect(try client.send("CLIENT", "UNPAUSE") == "+OK")
      let counts = try others.map { Int(try $0.readLine().dropFirst()) ?? 0 }
      #expect(counts.sorted() == Array(index * 7 + 1...index * 7 + 7))
    }
    let ids = try clients.map { String(try $0.send("CLIENT", "ID").dropFirst()) }
    for index in stride(from: 7, to: 0, by: -1) {
      let killer = clients[index - 1]
      // What it has sent behind that is not carried out.
      try killer.write(Wire.request("CLIENT", "KILL", "ID", ids[index]))
      #expect(try killer.readLine() == ":1")
      #expect(try !killer.send("CLIENT", "LIST").contains("name=c\(index) "))
      let killed = clients.removeLast()
      #expect(try killed.isAtEnd())
    }
    #expect(try clients[0].send("GET", "n") == "56")
    try server.end()
  }

  /// Clients of the memcached protocol count, and compare and swap, from every event loop.
  @Test func memcachedClientsOfEveryLoop() throws {
    let server = try ServerProcess(file, Self.arguments + ["--memcached-port", "0"])
    let clients = try (0..<8).map { _ in try Client(port: server.memcachedPort) }
    try clients[0].write("set n 0 0 1\r\n0\r\nset m 0 0 1\r\n0\r\n".utf8)
    #expect(try clients[0].readLine() == "STORED")
    #expect(try clients[0].readLine() == "STORED")
    let each = 500
    for client in clients {
      try client.write(String(repeating: "incr n 1\r\n", count: each).utf8)
    }
    var seen: Set<Int> = []
    for client in clients {
      var last = 0
      for _ in 0..<each {
        let count = try #require(Int(try client.readLine()))
        try #require(count > last && seen.insert(count).inserted)
        last = count
      }
    }
    #expect(seen == Set(1...each * clients.count))
    for round in 1...50 {
      var requests: [String] = []
      for client in clients {
        try client.write("gets m\r\n".utf8)
        let words = try client.readLine().split(separator: " ")
        try #require(words.count == 5)
        #expect(try client.readLine() == "\(round - 1)")
        #expect(try client.readLine() == "END")
        requests.append("cas m 0 0 \("\(round)".utf8.count) \(words[4])\r\n\(round)\r\n")
      }
      for (client, request) in zip(clients, requests) { try client.write(request.utf8) }
      let lines = try clients.map { try $0.readLine() }.sorted()
      try #require(
        lines == Array(repeating: "EXISTS", count: clients.count - 1) + ["STORED"],
        "round \(round)")
    }
    try server.end()
  }

  /// kill -9 while clients of every event loop write: what was acknowledged is there.
  @Test func acknowledgedWritesOfEveryLoopStay() throws {
    var expected: [String: String] = [:]
    var generator = SplitMix(seed: 11)
    for round in 0..<4 {
      let server = try ServerProcess(file, Self.arguments)
      let clients = try (0..<8).map { _ in try server.connect() }
      for (key, value) in expected.sorted(by: { $0.key < $1.key }) {
        try #require(try clients[0].send("GET", key) == value, "round \(round), \(key)")
      }
      let each = 300
      for (number, client) in clients.enumerated() {
        var requests: [UInt8] = []
        for step in 0..<each {
          requests += Wire.request(
            "MSET", "\(number) \(step)", "\(round)", "\(number) \(step) twin", "\(round)")
        }
        try client.write(requests)
      }
      var counts: [Int] = []
      for client in clients {
        let count = generator.number(below: each)
        for _ in 0..<count { try #require(try client.readLine() == "+OK") }
        counts.append(count)
      }
      try server.crash()
      let next = try ServerProcess(file, Self.arguments)
      let reader = try next.connect()
      for (number, count) in counts.enumerated() {
        for step in 0..<each {
          let value = try reader.send("GET", "\(number) \(step)")
          let twin = try reader.send("GET", "\(number) \(step) twin")
          try #require(value == twin, "round \(round): one of two keys of a command")
          if step < count { try #require(value == "\(round)", "round \(round): \(number) \(step)") }
          if value != "$-1" {
            expected["\(number) \(step)"] = value
            expected["\(number) \(step) twin"] = value
          }
        }
      }
      try next.end()
    }
  }

  /// From one event loop to four, to two and to one, while clients of all send: each gets every reply, in order.
  @Test func upgradesToOtherCounts() throws {
    let configuration = folder.path("cache.conf")
    func configure(_ count: Int) throws {
      try Data("io-threads \(count)\n".utf8).write(to: URL(filePath: configuration))
    }
    try configure(1)
    let server = try ServerProcess(file, configuration: configuration)
    let control = try server.connect()
    #expect(try control.parameter("io-threads") == "1")
    let clients = try (0..<24).map { _ in try server.connect() }
    var counts = Array(repeating: 0, count: clients.count)
    var sums = Array(repeating: 0, count: clients.count)
    let each = 40
    for loopCount in [4, 2, 4, 1, 3] {
      try configure(loopCount)
      let old = server.processID
      server.signal(SIGUSR2)
      var turns = 0
      while try control.info("process_id") == "\(old)" || turns < 3 {
        for (number, client) in clients.enumerated() {
          var requests: [UInt8] = []
          for _ in 0..<each {
            requests += Wire.request("INCR", "n\(number)") + Wire.request("INCR", "sum")
          }
          try client.write(requests)
        }
        for (number, client) in clients.enumerated() {
          for _ in 0..<each {
            counts[number] += 1
            try #require(try client.readLine() == ":\(counts[number])")
            let sum = try #require(Int(try client.readLine().dropFirst()))
            try #require(sum > sums[number])
            sums[number] = sum
          }
        }
        turns += 1
        try #require(turns < 100_000)
      }
      try server.awaitExchange()
      #expect(try control.parameter("io-threads") == "\(loopCount)")
      #expect(try control.send("CLIENT", "LIST").split(separator: "\n").count == 25)
    }
    #expect(try control.send("GET", "sum") == "\(counts.reduce(0, +))")
    try server.end()
  }

  /// Connections that begin while the event loops change hands are served, by one process or the other, and no two
  /// have the same number.
  @Test func connectionsBeginDuringUpgrades() throws {
    let server = try ServerProcess(file, Self.arguments)
    let control = try server.connect()
    var count = 0
    var ids: Set<String> = []
    for _ in 1...5 {
      let old = server.processID
      server.signal(SIGUSR2)
      repeat {
        let clients = try (0..<8).map { _ in try server.connect() }
        for client in clients { try client.write(Wire.request("INCR", "n")) }
        for client in clients {
          #expect(try client.readLine().hasPrefix(":"))
          let id = try client.send("CLIENT", "ID")
          #expect(ids.insert(id).inserted, "\(id) again")
        }
        count += clients.count
        try #require(count < 100_000)
      } while try control.info("process_id") == "\(old)"
      try server.awaitExchange()
    }
    #expect(try control.send("GET", "n") == "\(count)")
    try server.end()
  }
}
