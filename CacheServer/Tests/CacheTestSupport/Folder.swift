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

  /// Writes a shell script that the owner may execute.
  ///
  /// - Returns: its path.
  package func writeScript(_ lines: String, to name: String) throws -> String {
    try write("#!/bin/sh\n\(lines)\n".utf8, to: name)
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path(name))
    return path(name)
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
