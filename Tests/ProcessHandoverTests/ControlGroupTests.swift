import Foundation
import HandoverTestSupport
import Platform
import SystemPackage
import Testing

@testable import ProcessHandover

@Suite struct ControlGroupTests {
  /// The folder of the group of this process in which another can be made; nil where it cannot.
  private static let parent: ControlGroupMemory.Group? = ControlGroupMemory.own?.groups.first
    .flatMap {
      let probe = $0.folder.appending("kho-probe-\(SystemCalls.processID)")
      guard (try? SystemCalls.makeFolder(probe)) != nil else { return nil }
      defer { _ = unsafe rmdir(probe.string) }
      return SystemCalls.exists(probe.appending($0.limitName)) ? $0 : nil
    }

  /// A service in a group of 96 MiB fills its memory: it is refused, and not ended; its successor in
  /// the same group still has everything, and is refused as well.
  @Test(.enabled(if: parent != nil, "no control group can be made here"), .timeLimit(.minutes(2)))
  func aServiceInASmallGroup() throws {
    let parent = try #require(Self.parent)
    let group = parent.folder.appending("kho-test-\(UUID().uuidString)")
    try SystemCalls.makeFolder(group)
    defer { _ = unsafe rmdir(group.string) }
    let limit = 96 << 20
    let file = try FileDescriptor.open(group.appending(parent.limitName), .writeOnly)
    try file.closeAfter { _ = try file.writeAll(Array("\(limit)".utf8)) }
    let folder = try TemporaryFolder(in: "/dev/shm")
    let path = folder.path.appending("memory")
    let first = try ProcessRun(helper: "limited", group.string, path.string)
    try #require(first.status == 0, "\(first.errors)")
    let words = first.output.split(separator: " ")
    #expect(first.output.hasPrefix("refused below \(limit) after "), "\(first.output)")
    #expect(first.output.hasSuffix("whole: true\n"))
    let count = try #require(words.count > 5 ? Int(words[4]) : nil)
    #expect((40..<96).contains(count))
    let second = try ProcessRun(helper: "limited", group.string, path.string)
    #expect(second.status == 0)
    #expect(second.output.hasPrefix("refused below \(limit) after "), "\(second.output)")
  }

  @Test func theGroupsOfAProcess() throws {
    let folder = try TemporaryFolder()
    let point = folder.path.string
    for name in ["a", "a/b", "a/b/c"] {
      try SystemCalls.makeFolder(folder.path.appending(name))
    }
    for name in ["memory.max", "a/memory.max", "a/b/memory.max"] {
      _ = try folder.write(Array("max\n".utf8), to: name)
    }
    let mounts = """
      24 1 0:22 / /proc rw,nosuid - proc proc rw
      30 24 0:27 / \(point) rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate
      nonsense
      31 24 0:28 / /elsewhere rw - cgroup cgroup rw,cpu
      """
    func folders(_ membership: String, _ mounts: String) -> [String] {
      ControlGroupMemory.groups(membership: membership, mounts: mounts).map(\.folder.string)
    }
    #expect(
      folders("0::/a/b/c\n", mounts) == ["\(point)/a/b", "\(point)/a", point])
    #expect(folders("0::/\n", mounts) == [point])
    #expect(folders("0::/../x\n", mounts) == [point])
    #expect(folders("4:memory:/a\n", mounts) == [])
    #expect(folders("", mounts) == [] && folders("0:x\n::\n", mounts) == [])
    // A container's mount begins at the container's group.
    let container = mounts.replacing("0:27 / ", with: "0:27 /docker/1 ")
    #expect(folders("0::/docker/1/a\n", container) == ["\(point)/a", point])
    #expect(folders("0::/docker/1\n", container) == [point])
  }

  @Test func theRoomOfGroups() throws {
    let folder = try TemporaryFolder()
    let group = ControlGroupMemory.Group(
      folder: folder.path, limitName: "memory.max", usageName: "memory.current",
      reclaimableNames: ["inactive_file"])
    let memory = ControlGroupMemory(groups: [group])
    func room(_ limit: String, _ usage: String, _ statistics: String = "") throws -> UInt64 {
      _ = try folder.write(Array(limit.utf8), to: "memory.max")
      _ = try folder.write(Array(usage.utf8), to: "memory.current")
      _ = try folder.write(Array(statistics.utf8), to: "memory.stat")
      return memory.room().byteCount
    }
    #expect(try room("max\n", "5\n") == .max)
    #expect(try room("9223372036854771712\n", "5\n") == .max)
    #expect(try room("1600\n", "500\n") == 1000)
    #expect(try room("1600\n", "1500\n") == 0)
    #expect(try room("1600\n", "1600\n", "anon 7\ninactive_file 300\n") == 300)
    #expect(try room("1600\n", "1600\n", "inactive_file 18446744073709551615\n") == 1500)
    #expect(try room("0\n", "5\n") == 0)
    #expect(try room("nonsense\n", "5\n") == .max)
  }
}
