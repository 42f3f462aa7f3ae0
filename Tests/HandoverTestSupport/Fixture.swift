import Foundation
package import KexecHandover
import SystemPackage

/// A memory image of a real kernel, and what an independent reader found in it.
package struct Fixture: Sendable, CustomStringConvertible {
  package let name: String

  /// Every image in `Fixtures/`.
  package static let all: [Fixture] = [
    "linux-6.18-kho-v1", "linux-7.1-kho-v3", "linux-7.3-kho-v4", "linux-7.3-kho-v4-chained",
  ].map(Fixture.init)

  package init(name: String) { self.name = name }

  package var description: String { name }

  private static let folder = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Fixtures")

  /// A file in `Fixtures/`.
  package static func file(_ name: String) -> String { folder.appending(path: name).path }

  package var path: String { Self.folder.appending(path: "\(name).elf").path }

  package func open() throws -> MemoryImage { try MemoryImage.open(FilePath(path), base: nil) }

  /// The file of expectations beside the image.
  package func expectations() throws -> Expectations {
    let url = Self.folder.appending(path: "\(name).expected.json")
    return try JSONDecoder().decode(Expectations.self, from: Data(contentsOf: url))
  }

  package struct Expectations: Decodable {
    package let pageShift: Int
    package let handovers: [Handover]
  }

  package struct Handover: Decodable {
    package let fdtAddress: UInt64
    package let readable: Bool?
    package let compatible: String?
    package let root: UInt64?
    package let entryCount: UInt64?
    package let preservedBytes: UInt64?
    package let orders: [String: UInt64]?
    package let nodesByLevel: [UInt64]?
    package let pagesPlainSHA256: String?
    /// For each blob, its properties by name.
    package let subtrees: [String: [String: UInt64]]?
    package let luo: LiveUpdate?
  }

  package struct LiveUpdate: Decodable {
    package let compatible: String
    package let liveupdate_number: UInt64
    package let sessions: [Session]
  }

  package struct Session: Decodable {
    package let name: String
    package let files: [File]
  }

  package struct File: Decodable {
    package let handler: String
    package let token: UInt64
    package let data: UInt64
    package let position: UInt64
    package let size: UInt64
    package let seals: UInt32
    package let folios: UInt64
    /// The digest of the whole content.
    package let sha256: String
  }

}
