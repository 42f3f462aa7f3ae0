package import Foundation

/// A folder on tmpfs, removed with the object.
package final class Folder {
  package let url: URL

  package init() throws {
    url = URL(filePath: "/dev/shm/cache-server-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
  }

  package func path(_ name: String) -> String { url.appending(path: name).path }

  package func write(_ bytes: some Sequence<UInt8>, to name: String) throws {
    try Data(bytes).write(to: url.appending(path: name))
  }

  package func bytes(of name: String) throws -> Data {
    try Data(contentsOf: url.appending(path: name))
  }

  /// Makes `name` lead to `target`, whatever it has led to.
  package func link(_ name: String, to target: String) throws {
    try? FileManager.default.removeItem(atPath: path(name))
    try FileManager.default.createSymbolicLink(atPath: path(name), withDestinationPath: target)
  }

  deinit { try? FileManager.default.removeItem(at: url) }
}
