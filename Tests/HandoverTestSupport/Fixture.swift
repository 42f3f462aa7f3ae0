import Foundation
public import KexecHandover
import SystemPackage

/// A memory image of a real kernel, and what an independent reader found in it.
public struct Fixture: Sendable, CustomStringConvertible {
  public let name: String

  /// Every image in `Fixtures/`.
  public static let all: [Fixture] = [
    "linux-6.18-kho-v1", "linux-7.1-kho-v3", "linux-7.3-kho-v4", "linux-7.3-kho-v4-chained",
  ].map(Fixture.init)

  public init(name: String) { self.name = name }

  public var description: String { name }

  private static let folder = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Fixtures")

  public var path: String { Self.folder.appending(path: "\(name).elf").path }

  public func open() throws -> MemoryImage { try MemoryImage.open(FilePath(path), base: nil) }

  /// The file of expectations beside the image.
  public func expectations() throws -> Expectations {
    let url = Self.folder.appending(path: "\(name).expected.json")
    return try JSONDecoder().decode(Expectations.self, from: Data(contentsOf: url))
  }

  public struct Expectations: Decodable {
    public let pageShift: Int
    public let handovers: [Handover]
  }

  public struct Handover: Decodable {
    public let fdtAddress: UInt64
    public let readable: Bool?
    public let compatible: String?
    public let root: UInt64?
    public let entryCount: UInt64?
    public let preservedBytes: UInt64?
    public let orders: [String: UInt64]?
    public let nodesByLevel: [UInt64]?
    public let pagesPlainSHA256: String?
    /// For each blob, its properties by name.
    public let subtrees: [String: [String: UInt64]]?
    public let luo: LiveUpdate?
  }

  public struct LiveUpdate: Decodable {
    public let compatible: String
    public let liveupdate_number: UInt64
    public let sessions: [Session]
  }

  public struct Session: Decodable {
    public let name: String
    public let files: [File]
  }

  public struct File: Decodable {
    public let handler: String
    public let token: UInt64
    public let data: UInt64
    public let position: UInt64
    public let size: UInt64
    public let seals: UInt32
    public let folios: UInt64
  }

}
