internal import CacheCore
internal import SystemPackage

/// What the server is started with.
struct ServerConfiguration: Sendable {
  /// Where the memory is.
  enum Place: Sendable {
    /// A file.
    case path(FilePath)
    /// A memfd of that name, which the service manager keeps.
    case memfd(name: String)
  }

  /// What clients connect to.
  let endpoints: [Endpoint]
  let backlog: Int
  /// How many event loops serve clients.
  let loopCount: Int
  let place: Place
  /// Whether the server waits for the end of one that uses the memory.
  let isStandby: Bool
  let settings: Settings
  /// How large the memory file may grow, in bytes.
  let capacity: UInt64
  /// How many clients may be connected; `nil` for as many as the limit on descriptors allows.
  let clientLimit: Int?
  /// The configuration file.
  let file: FilePath?
  /// How clients are encrypted; `nil` without `tls-port`.
  let tls: TLSOptions?
  /// The program that an upgrade starts, and what it gets.
  let executable: FilePath
  let arguments: [String]

  /// The memory file, as the operator named it.
  var memoryFile: String {
    switch place {
    case .path(let path): path.string
    case .memfd(let name): "memfd:\(name)"
    }
  }
}
