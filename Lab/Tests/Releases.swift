import Foundation
import Testing

/// The releases of Linux that the lab runs. The first release with a version of the formats was 6.18, 7.1 and 7.2; 7.3
/// has the formats of 7.2.
enum Releases {
  static let all = ["6.18", "7.1", "7.2", "7.3"]

  /// Those that a scenario boots: all of them in `Lab/all`, the newest in `Lab/quick`.
  static var chosen: [String] { Lab.extent == .all ? all : ["7.3"] }

  /// The kernel of a release; nil, with a sentence, if the cache does not have it.
  static func kernel(_ release: String) -> URL? {
    let kernel = Lab.kernel(release)
    if kernel == nil { print("left out: the lab's cache has no Linux \(release)") }
    return kernel
  }

  /// What `kho compat` says of a release or an image A and a release B.
  struct Verdict: Decodable {
    let verdict: String
    let firstObstacle: String?
    let formats: [Format]

    struct Format: Decodable {
      let name: String
      let understood: [String]?
    }

    init(_ a: String, _ b: String) throws {
      let run = try Run(
        Lab.programs.appending(path: "kho").path, ["compat", "--json", a, b])
      self = try JSONDecoder().decode(Self.self, from: Data(run.text.utf8))
    }

    /// Whether B takes the handover of A, which is so unless B does not know the version of the root device tree.
    var isTaken: Bool { firstObstacle != "kho" }

    /// What B prints if it does not take it.
    var refusal: String {
      "is incompatible with '\(formats.first { $0.name == "kho" }?.understood?.first ?? "")'"
    }
  }
}
