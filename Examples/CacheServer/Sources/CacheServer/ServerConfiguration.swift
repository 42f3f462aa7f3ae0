internal import CacheCore
internal import KexecHandover
internal import SystemPackage

/// What the server is started with.
struct ServerConfiguration: Sendable {
  /// Where the memory lies.
  enum Place: Hashable, Sendable {
    /// A file.
    case path(FilePath)
    /// A memfd of that name, which the service manager keeps.
    case memfd(name: String)
  }

  var port = 6379
  var address = "127.0.0.1"
  var place = Place.path("/dev/shm/cache-server")
  var settings = Settings()
  var capacity = PreservedMemory.standardCapacity
  /// The program that an upgrade starts, and what it gets.
  var executable: FilePath = "/proc/self/exe"
  var arguments: [String] = []

  /// The memory file, as the operator named it.
  var memoryFile: String {
    switch place {
    case .path(let path): path.string
    case .memfd(let name): "memfd:\(name)"
    }
  }
}
