import CacheTestSupport
import Foundation
import Testing
import TrialSupport

/// Upgrades with many clients: each is handed over, slow ones later than the others.
@Suite struct ManyClientsTests {
  private let folder: Folder
  private var file: String { folder.path("memory") }

  init() throws { folder = try Folder() }

  /// More clients than one step sends: each keeps its state, also one that sends requests during the upgrade.
  @Test func eachIsHandedOver() throws {
    let server = try ServerProcess(file)
    let control = try server.connect()
    let clients = try (0..<150).map { _ in try server.connect() }
    for (index, client) in clients.enumerated() {
      #expect(try client.send("CLIENT", "SETNAME", "c\(index)") == "+OK")
      if index % 10 == 0 { #expect(try client.send("WATCH", "w\(index)") == "+OK") }
      if index % 10 == 1 { try client.write(Wire.request("SET", "half\(index)", "value")[..<20]) }
    }
    for round in 1...6 {
      let old = server.processID
      server.signal(SIGUSR2)
      // While clients are sent, some of them do something.
      var turn = 0
      while try control.info("process_id") == "\(old)" {
        let index = turn % 150
        if index % 10 > 1 {
          #expect(try clients[index].send("INCR", "n\(index)").hasPrefix(":"))
          if index % 10 == 5 { #expect(try clients[index].send("SELECT", "\(round)") == "+OK") }
        }
        turn += 1
        try #require(turn < 100_000)
      }
      try server.awaitReady()
      for (index, client) in clients.enumerated() where index % 10 > 1 {
        #expect(try client.send("CLIENT", "GETNAME") == "c\(index)")
      }
      let list = try control.send("CLIENT", "LIST")
      #expect(list.split(separator: "\n").count == 151)
    }
    // A watched key that changes in a later process, and a request that began in the first.
    #expect(try control.send("SET", "w0", "changed") == "+OK")
    for index in stride(from: 0, to: 150, by: 10) {
      #expect(try clients[index].send("MULTI") == "+OK")
      #expect(try clients[index].send("PING") == "+QUEUED")
      #expect(try clients[index].send("EXEC") == (index == 0 ? "*-1" : "*1"))
      if index > 0 { #expect(try clients[index].readLine() == "+PONG") }
      let half = clients[index + 1]
      try half.write(Wire.request("SET", "half\(index + 1)", "value")[20...])
      #expect(try half.readLine() == "+OK")
    }
    // A successor has each socket once.
    #expect(try server.socketCount() < 160)
    try server.end()
  }

  /// As many clients as `tcp-backlog` says wait to be accepted, also at the socket of a successor.
  @Test func manyAtOnce() throws {
    let server = try ServerProcess(file, ["--tcp-backlog", "600"])
    for _ in 0..<2 {
      server.signal(SIGSTOP)
      // None of these would connect if the queue were full.
      let clients = try (0..<400).map { _ in try server.connect() }
      server.signal(SIGCONT)
      for client in clients { #expect(try client.send("PING") == "+PONG") }
      server.signal(SIGUSR2)
      try server.awaitExchange()
    }
    try server.end()
  }

  /// A connection that ends while clients are sent ahead ends at once. Each process closes its copy of the socket.
  @Test func connectionsEndWhileOthersAreSent() throws {
    let server = try ServerProcess(file)
    let control = try server.connect()
    var clients = try (0..<200).map { _ in try server.connect() }
    for client in clients { #expect(try client.send("PING") == "+PONG") }
    for _ in 1...4 {
      let old = server.processID
      server.signal(SIGUSR2)
      var count = 0
      while try control.info("process_id") == "\(old)" {
        guard clients.count > 20 else { continue }
        let client = clients.removeLast()
        switch count % 3 {
        case 0:
          #expect(try client.send("QUIT") == "+OK")
          #expect(try client.isAtEnd())
        case 1:
          let id = String(try client.send("CLIENT", "ID").dropFirst())
          #expect(try control.send("CLIENT", "KILL", "ID", id) == ":1")
          #expect(try client.isAtEnd())
        default: break  // The client closes it.
        }
        count += 1
      }
      try server.awaitReady()
      for client in clients { #expect(try client.send("PING") == "+PONG") }
      // Connections that their clients closed are missing as well once the server has noticed.
      var turns = 0
      while try control.info("connected_clients") != "\(clients.count + 1)" {
        turns += 1
        try #require(turns < 10_000)
      }
      #expect(try server.socketCount() < clients.count + 12)
    }
    try server.end()
  }

  /// A client that does not read its replies gets all of them after two upgrades in a row, which both begin while the
  /// first server still has the client.
  @Test func slowReaderOverTwoUpgrades() throws {
    let server = try ServerProcess(file)
    let other = try server.connect()
    let slow = try SlowReader(server, beside: other)
    var processes = [server.processID]
    for _ in 1...2 {
      server.signal(SIGUSR2)
      try server.awaitReady()
      #expect(try other.info("process_id") == "\(server.processID)")
      processes.append(server.processID)
    }
    try slow.readAll()
    // The two processes before end once the client has all replies.
    try server.awaitLine("everything is handed over; ending")
    try server.awaitLine("everything is handed over; ending")
    #expect(try slow.client.send("INCR", "n") == ":2")
    #expect(try slow.client.info("process_id") == "\(processes[2])")
    try server.end()
  }

  /// Upgrades in a row do not lose a connection or leak a descriptor. `cache-trials upgrades` does a hundred with
  /// 10,000 clients.
  @Test func manyUpgrades() throws {
    let server = try ServerProcess(file)
    let clients = try (0..<40).map { _ in try server.connect() }
    let control = try server.connect()
    for client in clients { #expect(try client.send("PING") == "+PONG") }
    let socketCount = try server.socketCount()
    let upgradeCount = 20
    for upgrade in 1...upgradeCount {
      #expect(try control.send("UPGRADE") == "+OK")
      try server.awaitExchange()
      let client = clients[upgrade % clients.count]
      #expect(try client.send("INCR", "n") == ":\(upgrade)")
      #expect(try control.send("CLIENT", "LIST").split(separator: "\n").count == 41)
      // For a moment it has those of the connection to the predecessor, which is ending. An upgrade leaves none behind.
      var turns = 0
      while try server.socketCount() > socketCount {
        #expect(try control.send("PING") == "+PONG")
        turns += 1
        try #require(turns < 10_000)
      }
    }
    for client in clients { #expect(try client.send("GET", "n") == "\(upgradeCount)") }
    #expect(try control.info("upgrades") == "\(upgradeCount)")
    try server.end()
  }
}
