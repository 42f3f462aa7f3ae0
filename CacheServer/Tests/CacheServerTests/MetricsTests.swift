import CacheTestSupport
import Foundation
import Testing
import TrialSupport

/// Figures for Prometheus.
@Suite struct MetricsTests {
  private let folder: Folder
  private var file: String { folder.path("memory") }

  init() throws { folder = try Folder() }

  /// The reply of the server to a request of HTTP, until it closes the connection.
  private func ask(_ server: ServerProcess, _ request: String) throws -> String {
    let client = try Client(port: server.metricsPort)
    try client.write(Array(request.utf8))
    return String(decoding: try client.read(1 << 20), as: UTF8.self)
  }

  @Test func page() throws {
    let server = try ServerProcess(file, ["--metrics-port", "0", "--memcached-port", "0"])
    let client = try server.connect()
    #expect(try client.send("SET", "a", "1", "EX", "1000") == "+OK")
    #expect(try client.send("GET", "a") == "1" && client.send("GET", "none") == "$-1")
    #expect(try client.send("INCR", "x", "y").hasPrefix("-ERR"))
    let get = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
    func check(upgrades: Int) throws {
      let page = try ask(server, get)
      #expect(page.hasPrefix("HTTP/1.1 200 OK\r\n"))
      let parts = page.components(separatedBy: "\r\n\r\n")
      #expect(parts[0].contains("Content-Length: \(parts[1].utf8.count)\r\n"))
      var figures: [String: String] = [:]
      for line in parts[1].split(separator: "\n") where !line.hasPrefix("#") {
        let space = try #require(line.lastIndex(of: " "))
        let name = String(line[..<space])
        #expect(figures[name] == nil, "\(name) is there twice")
        figures[name] = String(line[line.index(after: space)...])
        #expect(Double(line[line.index(after: space)...]) != nil, "\(line)")
      }
      #expect(figures["redis_up"] == "1" && figures["redis_keyspace_hits_total"] == "1")
      #expect(figures["redis_keyspace_misses_total"] == "1")
      #expect(figures["redis_db_keys{db=\"db0\"}"] == "1")
      #expect(figures["redis_db_keys_expiring{db=\"db0\"}"] == "1")
      #expect(figures["redis_connected_clients"] == "1")
      #expect(figures["cache_server_upgrades_total"] == "\(upgrades)")
      if upgrades == 0 {
        #expect(figures["redis_commands_total{cmd=\"get\"}"] == "2")
        #expect(figures["redis_commands_rejected_calls_total{cmd=\"incr\"}"] == "1")
        #expect(figures["redis_errors_total{err=\"ERR\"}"] == "1")
      }
    }
    try check(upgrades: 0)
    // The port stays over an upgrade.
    server.signal(SIGUSR2)
    try server.awaitReady()
    try check(upgrades: 1)
    #expect(try ask(server, "HEAD /metrics HTTP/1.0\r\n\r\n").hasSuffix("\r\n\r\n"))
    #expect(try ask(server, "GET / HTTP/1.1\r\n\r\n").hasPrefix("HTTP/1.1 404 "))
    #expect(try ask(server, "POST /metrics HTTP/1.1\r\n\r\n").hasPrefix("HTTP/1.1 405 "))
    #expect(try ask(server, "SET a 1\r\n\r\n").hasPrefix("HTTP/1.1 400 "))
    let long = String(repeating: "x", count: 10_000)
    #expect(try ask(server, "GET /metrics HTTP/1.1\r\n\(long)").hasPrefix("HTTP/1.1 431 "))
    #expect(try client.send("GET", "a") == "1")
    try server.end()
  }
}
