import KexecHandover
import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Measures how long it takes from execve(2) to the first byte of what a predecessor left, and how many page faults
/// that is, and prints two tables.
///
///     swift run -c release --package-path Benchmarks TakeoverSpeed [--largest BYTES] [--runs N] [--only PART]
///
/// Each figure is that of real processes: this program starts itself, fills memory files, becomes its
/// own successor, is killed and starts again. What it finds is compared with what was written; where a
/// word differs, the exit status is 1.
@main
struct TakeoverSpeed {
  static func main() throws {
    let start = Moment.now
    let arguments = Array(CommandLine.arguments[1...])
    switch arguments.first {
    case "fill": try Roles.fill(arguments)
    case "spread": try Roles.spread(arguments)
    case "launch": try Roles.launch(arguments)
    case "adopt": try Roles.adopt(arguments, startedAt: start)
    case "fresh", "fresh-each": try Roles.fresh(arguments, startedAt: start)
    case "hold": try Roles.hold(arguments)
    case "restart": try Roles.restart(arguments, startedAt: start)
    case "count": try Roles.count(arguments)
    default:
      guard let choices = Choices(arguments) else {
        print(
          "usage: TakeoverSpeed [--largest BYTES] [--runs N] [--folder PATH] [--only blocks|spread]"
        )
        exit(2)
      }
      var measurement = Measurement(choices)
      try measurement.run()
    }
  }
}

/// The clock that goes on from one process to the next, clock_gettime(2).
enum Clock {
  /// Nanoseconds since some moment.
  static var now: UInt64 {
    var time = timespec()
    // SAFETY: fills the value that it is given.
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

/// A moment in the life of this process.
struct Moment {
  /// ``Clock/now``.
  let time: UInt64
  /// How many page faults the process has had that needed no disk, also before its last execve(2).
  let faultCount: UInt64

  /// The present one.
  static var now: Moment {
    let time = Clock.now
    var usage = rusage()
    // SAFETY: fills the value that it is given.
    unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Moment(time: time, faultCount: UInt64(usage.ru_minflt))
  }
}

/// What the command line says.
struct Choices {
  /// The largest amount to measure, in bytes; nil for as much as there is memory for.
  var largest: UInt64?
  /// How often everything is measured.
  var runCount = 9
  /// A part of the measurement.
  enum Part: String {
    /// Memory in blocks of one size, all of it written.
    case blocks
    /// Single pages all over files of up to 1 TiB, not written.
    case spread
  }

  /// The part that is measured; nil for all.
  var part: Part?
  /// Where the memory files are.
  var folder = "/dev/shm"

  init?(_ arguments: [String]) {
    var rest = arguments[...]
    while let option = rest.popFirst() {
      guard let value = rest.popFirst() else { return nil }
      switch option {
      case "--largest":
        guard let number = UInt64(value) else { return nil }
        largest = number
      case "--runs":
        guard let number = Int(value), number > 0 else { return nil }
        runCount = number
      case "--folder": folder = value
      case "--only":
        guard let part = Part(rawValue: value) else { return nil }
        self.part = part
      default: return nil
      }
    }
  }
}
