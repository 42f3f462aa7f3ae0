import CacheTestSupport
import KexecHandover
import NIOCore
import PersistentCollections
import RESP

@testable import CacheCore

/// A cache over memory of a process, a client, and a clock that only the test moves.
final class CacheBench {
  var cache: Cache?
  var session = Session(id: 7)
  var reply = ReplyWriter()
  /// Milliseconds since 1970.
  var time: UInt64 = 1_000_000_000_000

  init(settings: Settings = Settings()) throws {
    let memory = try PreservedMemory(
      creating: .memfd(name: "cache-test"), byteCount: 4 << 20, growableTo: 1 << 30)
    cache = try Cache(in: memory, settings: settings)
    cache!.beginBatch(at: time)
  }

  init(in memory: consuming PreservedMemory, at time: UInt64) throws {
    cache = try Cache(in: memory)
    self.time = time
    cache!.beginBatch(at: time)
  }

  /// Ends, and opens the same memory as the next process would.
  func restart() throws {
    let memory = cache.take()!.close()
    let file = memory.file
    drop(memory)
    cache = try Cache(in: try PreservedMemory(adopting: file))
    cache!.beginBatch(at: time)
  }

  private func drop(_ memory: consuming PreservedMemory) {}

  /// Ends as a server does after SIGTERM.
  func end() { _ = cache.take()!.close() }

  /// The reply to a request, as bytes.
  func send(bytes: [UInt8]) -> [UInt8] {
    var parser = RequestParser()
    cache!.beginBatch(at: time)
    reply.buffer.clear()
    reply.isRESP3 = session.isRESP3
    let stop = cache!.serve(bytes.rawSpan, &parser, &session, &reply, outputLimit: .max)
    cache!.endBatch()
    switch stop {
    case .incomplete: break
    default: reply.buffer.writeString("<\(stop)>")
    }
    return Array(reply.buffer.readableBytesView)
  }

  /// The reply to an inline request, with `⏎` for each line break.
  func send(_ request: String) -> String {
    let bytes = send(bytes: Array((request + "\r\n").utf8))
    return String(decoding: bytes, as: UTF8.self).replacing("\r\n", with: "⏎")
  }

  func set(_ key: [UInt8], _ value: [UInt8]) -> [UInt8] {
    send(bytes: Wire.request([Array("SET".utf8), key, value]))
  }

  /// Stores `value` under NAME 0, NAME 1, and so on, until the cache refuses it.
  ///
  /// - Returns: how often it was stored.
  func fill(_ name: String, with value: [UInt8]) -> Int {
    var count = 0
    while set(Array("\(name) \(count)".utf8), value) == Array("+OK\r\n".utf8) { count += 1 }
    return count
  }

  func get(_ key: [UInt8]) -> [UInt8] { send(bytes: Wire.request([Array("GET".utf8), key])) }

  /// What a client may hear of a string; nil for none.
  static func reply(_ value: [UInt8]?) -> [UInt8] {
    value.map(Wire.bulk) ?? Array("$-1\r\n".utf8)
  }

  var count: Int { withCache { $0.count } }
  var byteCount: UInt64 { withCache { $0.byteCount } }
  var deadlineCount: UInt64 { withCache { $0.deadlineCount } }
  var figures: Figures { withCache { $0.figures } }

  func withCache<Result>(_ body: (inout Cache) throws -> Result) rethrows -> Result {
    try body(&cache!)
  }

  /// The deadline of each entry, past or not; 0 where it has none.
  func deadlines() throws -> [String: UInt64] {
    var deadlines: [String: UInt64] = [:]
    var cursor: UInt64 = 0
    repeat {
      cursor = try cache!.map.scan(from: cursor) { key, _, metadata in
        deadlines[key.text] = metadata.first
      }
    } while cursor != 0
    return deadlines
  }

  /// How many entries of the map have a deadline, past or not.
  func countedDeadlines() throws -> UInt64 {
    UInt64(try deadlines().values.count { $0 != 0 })
  }

  /// What is wrong with the map.
  func problems() -> [String] { cache!.map.check().findings.map { "\($0)" } }
}
