import CacheTestSupport
import KexecHandover
import RESP
import SystemPackage
import Testing
import TrialSupport

@testable import CacheCore

/// `value-checksums yes`: the server reports a damaged value, and does not send it to a client.
@Suite struct ChecksumTests {
  private static var settings: Settings {
    var settings = Settings()
    settings.checksValues = true
    return settings
  }

  /// A change of any one bit changes the checksum.
  @Test func everyBit() throws {
    var generator = SplitMix(seed: 1)
    for count in [0, 1, 7, 8, 9, 63, 64, 100] {
      let bytes = generator.bytes(count)
      let sum = ValueChecksum.of(bytes.rawSpan)
      for bit in 0..<count * 8 {
        var changed = bytes
        changed[bit / 8] ^= 1 << UInt8(bit % 8)
        #expect(ValueChecksum.of(changed.rawSpan) != sum, "\(count) bytes, bit \(bit)")
      }
      #expect(ValueChecksum.of((bytes + [0]).rawSpan) != sum)
    }
  }

  /// Replies are the same with and without checksums, also if the setting changes in between.
  @Test func clientsDoNotNotice() throws {
    for start in [true, false] {
      var settings = Settings()
      settings.checksValues = start
      let bench = try CacheBench(settings: settings)
      var isOn = start
      func flip() {
        isOn.toggle()
        #expect(bench.send("CONFIG SET value-checksums \(isOn ? "yes" : "no")") == "+OK⏎")
      }
      #expect(bench.send("SET a hello") == "+OK⏎")
      #expect(bench.send("GET a") == "$5⏎hello⏎" && bench.send("STRLEN a") == ":5⏎")
      flip()
      #expect(bench.send("APPEND a _you") == ":9⏎" && bench.send("GET a") == "$9⏎hello_you⏎")
      #expect(bench.send("SETRANGE a 0 J") == ":9⏎")
      flip()
      #expect(
        bench.send("APPEND a !") == ":10⏎" && bench.send("GETRANGE a 0 -1") == "$10⏎Jello_you!⏎")
      #expect(bench.send("EXPIRE a 100") == ":1⏎" && bench.send("GET a") == "$10⏎Jello_you!⏎")
      flip()
      #expect(bench.send("PERSIST a") == ":1⏎" && bench.send("GET a") == "$10⏎Jello_you!⏎")
      #expect(bench.send("RENAME a b") == "+OK⏎" && bench.send("GET b") == "$10⏎Jello_you!⏎")
      #expect(bench.send("COPY b c") == ":1⏎" && bench.send("GET c") == "$10⏎Jello_you!⏎")
      #expect(bench.send("MOVE c 3") == ":1⏎" && bench.send("SELECT 3") == "+OK⏎")
      #expect(bench.send("GET c") == "$10⏎Jello_you!⏎" && bench.send("SELECT 0") == "+OK⏎")
      #expect(bench.send("GETEX b EX 100") == "$10⏎Jello_you!⏎")
      #expect(bench.send("SET n 41") == "+OK⏎" && bench.send("INCR n") == ":42⏎")
      flip()
      #expect(bench.send("INCRBYFLOAT n 0.5") == "$4⏎42.5⏎" && bench.send("SETBIT n 0 0") == ":0⏎")
      #expect(bench.send("MSET x 1 y 2") == "+OK⏎" && bench.send("MGET x y") == "*2⏎$1⏎1⏎$1⏎2⏎")
      try bench.restart()
      #expect(bench.send("MGET x y n") == "*3⏎$1⏎1⏎$1⏎2⏎$4⏎42.5⏎")
      #expect(
        bench.send("SET b 1 KEEPTTL GET") == "$10⏎Jello_you!⏎" && bench.send("GET b") == "$1⏎1⏎")
      #expect(bench.problems() == [])
    }
  }

  /// The server finds a changed bit of the file when a client reads the value. Clients can replace and delete the
  /// entry.
  @Test func damagedValue() throws {
    let folder = try Folder()
    let path = folder.path("memory")
    let values = ["with-a-deadline-4711", "without-a-deadline-1147"]
    do {
      let memory = try PreservedMemory.open(FilePath(path))
      let bench = try CacheBench(in: memory, at: 1_000_000_000_000)
      #expect(bench.send("CONFIG SET value-checksums yes") == "+OK⏎")
      #expect(bench.send("SET a \(values[0]) EX 1000") == "+OK⏎")
      #expect(bench.send("SET b \(values[1])") == "+OK⏎")
      #expect(bench.send("SET c untouched") == "+OK⏎")
      bench.end()
    }
    var bytes = Array(try folder.bytes(of: "memory"))
    for value in values {
      let place = try #require(bytes.firstRange(of: Array(value.utf8)))
      bytes[place.lowerBound + 5] ^= 4
    }
    try folder.write(bytes, to: "memory")
    let memory = try PreservedMemory.open(FilePath(path))
    let bench = try CacheBench(in: memory, at: 1_000_000_000_000)
    let damaged =
      "-ERR the value of this key is damaged: it does not match its checksum. Delete the key⏎"
    for key in ["a", "b"] {
      #expect(bench.send("GET \(key)") == damaged)
      #expect(bench.send("APPEND \(key) x") == damaged)
      #expect(bench.send("MGET c \(key)") == damaged)
    }
    #expect(bench.send("GET c") == "$9⏎untouched⏎")
    let statistics = bench.withCache { $0.statistics(ServerFacts()).info(["stats"]) }
    #expect(statistics.contains("damaged_values:6\r\n"), "\(statistics)")
    #expect(bench.send("TTL a") == ":1000⏎")
    #expect(bench.send("DEL a") == ":1⏎" && bench.send("GET a") == "$-1⏎")
    #expect(bench.send("SET b new") == "+OK⏎" && bench.send("GET b") == "$3⏎new⏎")
    #expect(bench.problems() == [])
  }
}
