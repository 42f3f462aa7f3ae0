import Foundation
import Measuring

// The store beside other places in which a service could keep its data.
//
//   StoreSpeed [N]            all tables, of N entries; a million by default
//   StoreSpeed peers [N]      time and memory of each peer
//   StoreSpeed restart [N]    the first get after kill -9
//   StoreSpeed readers        how the throughput of readers grows with threads
//   StoreSpeed coded          values of a Codable type
//   StoreSpeed commits DIR    durable commits to a folder, which should be on a disk
//
// The program starts these itself:
//
//   StoreSpeed fill KIND PATH N    fills a peer, and waits to be killed
//   StoreSpeed first KIND PATH     opens it, and prints the nanoseconds to the end of the first get

@main
enum StoreSpeed {
  static func main() throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    switch (arguments.first, arguments.count) {
    case ("fill", 4): try Restart.fill(arguments[1], arguments[2], count(arguments[3]))
    case ("first", 3): try Restart.first(arguments[1], arguments[2])
    case ("peers", ...2): try PeerTable.run(count(arguments.dropFirst().first))
    case ("restart", ...2): try Restart.run(count(arguments.dropFirst().first))
    case ("readers", 1): try ReaderScaling.run()
    case ("coded", 1): try CodedCost.run()
    case ("commits", 2): try CommitCost.run(arguments[1])
    case (_, ...1):
      let count = count(arguments.first)
      try PeerTable.run(count)
      show("")
      try Restart.run(count)
      show("")
      try ReaderScaling.run()
      show("")
      try CodedCost.run()
      show("")
      try CommitCost.run(".")
    default: refuse("unknown arguments: \(arguments.joined(separator: " "))")
    }
  }

  private static func count(_ text: String?) -> UInt64 {
    guard let text else { return 1_000_000 }
    guard let count = UInt64(text), count > 7 else {
      refuse("\(text) is not a number of entries above 7")
    }
    return count
  }

  private static func refuse(_ reason: String) -> Never {
    FileHandle.standardError.write(
      Data(
        "StoreSpeed: \(reason); usage: StoreSpeed [peers | restart] [N], readers, coded, commits DIR\n"
          .utf8))
    exit(2)
  }
}
