internal import Platform
internal import SystemPackage

/// The limits on memory that the control groups of this process set: its own group's, and those of the
/// groups around it, cgroups(7).
///
/// Pages of memfds and of tmpfs count as memory of the group that touched them first. At the limit the
/// kernel ends processes, so memory is refused a little before it.
struct ControlGroupMemory: Sendable {
  /// A group's folder, and the names of its files.
  struct Group: Sendable {
    let folder: FilePath
    let limitName: String
    let usageName: String
    /// What in `memory.stat` the kernel takes back before it ends a process.
    let reclaimableNames: Set<String>
  }

  /// The group of the process, and those around it.
  let groups: [Group]

  /// What is kept free for the process's other memory: a sixteenth of the limit.
  static let marginDivisor: UInt64 = 16

  /// The groups of this process, found when they are first asked for; nil where memory is not controlled.
  static let own: ControlGroupMemory? = {
    let groups = Self.groups(
      membership: SystemCalls.text(of: "/proc/self/cgroup", atMost: 1 << 16),
      mounts: SystemCalls.text(of: "/proc/self/mountinfo", atMost: 1 << 20))
    return groups.isEmpty ? nil : ControlGroupMemory(groups: groups)
  }()

  /// How much more memory the process may take, and the limit that sets that; `UInt64.max` for both without
  /// a limit.
  func room() -> (byteCount: UInt64, limit: UInt64) {
    var room: (byteCount: UInt64, limit: UInt64) = (.max, .max)
    for group in groups {
      // "max", or in the older version of groups a number beyond all memory.
      guard let limit = number(group, group.limitName), limit < 1 << 62,
        let usage = number(group, group.usageName)
      else { continue }
      let ceiling = limit &- limit / Self.marginDivisor
      var left = ceiling > usage ? ceiling &- usage : 0
      // Only a group that is nearly full is looked at closely.
      if left < limit / 4 { left = min(left &+ reclaimableByteCount(group), ceiling) }
      if left < room.byteCount { room = (left, limit) }
    }
    return room
  }

  private func number(_ group: Group, _ name: String) -> UInt64? {
    let text = SystemCalls.text(of: group.folder.appending(name), atMost: 64)
    return UInt64(text.prefix { $0 != "\n" })
  }

  private func reclaimableByteCount(_ group: Group) -> UInt64 {
    SystemCalls.text(of: group.folder.appending("memory.stat"), atMost: 1 << 16)
      .split(separator: "\n").reduce(0) { sum, line in
        let fields = line.split(separator: " ")
        guard fields.count == 2, group.reclaimableNames.contains(String(fields[0])),
          let value = UInt64(fields[1])
        else { return sum }
        let (total, overflow) = sum.addingReportingOverflow(value)
        return overflow ? sum : total
      }
  }

  // MARK: Finding the groups

  /// The groups that a process is in, from the inside to the outside.
  ///
  /// - Parameters:
  ///   - membership: /proc/PID/cgroup.
  ///   - mounts: /proc/PID/mountinfo, proc(5).
  static func groups(membership: String, mounts: String) -> [Group] {
    let mounts = mounts.split(separator: "\n").compactMap(GroupMount.init)
    var groups: [Group] = []
    for line in membership.split(separator: "\n") {
      // `0::/path` of the unified hierarchy, `4:memory:/path` of the older one.
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3, fields[2].hasPrefix("/") else { continue }
      let isUnified = fields[0] == "0" && fields[1].isEmpty
      guard isUnified || fields[1].split(separator: ",").contains("memory"),
        let mount = mounts.first(where: {
          $0.isUnified == isUnified && ($0.isUnified || $0.hasMemory)
        })
      else { continue }
      for folder in mount.folders(ofGroup: FilePath(String(fields[2]))) {
        groups.append(
          isUnified
            ? Group(
              folder: folder, limitName: "memory.max", usageName: "memory.current",
              reclaimableNames: ["inactive_file", "active_file", "slab_reclaimable"])
            : Group(
              folder: folder, limitName: "memory.limit_in_bytes",
              usageName: "memory.usage_in_bytes",
              reclaimableNames: ["total_inactive_file", "total_active_file"]))
      }
    }
    return groups.filter {
      SystemCalls.exists($0.folder.appending($0.limitName))
    }
  }
}

/// A mounted hierarchy of control groups: a line of /proc/PID/mountinfo.
struct GroupMount {
  /// The group that the mount shows.
  let root: FilePath
  let point: FilePath
  let isUnified: Bool
  let hasMemory: Bool

  init?(_ line: Substring) {
    let fields = line.split(separator: " ")
    // Fields of unknown number end with a dash; the type and the options come behind it.
    guard fields.count > 6, let dash = fields.firstIndex(of: "-"), dash &+ 3 < fields.count,
      fields[dash + 1] == "cgroup" || fields[dash + 1] == "cgroup2"
    else { return nil }
    root = FilePath(String(fields[3]))
    point = FilePath(String(fields[4]))
    isUnified = fields[dash + 1] == "cgroup2"
    hasMemory = fields[dash + 3].split(separator: ",").contains("memory")
  }

  /// The folders of a group and of those around it, as far as the mount shows them.
  func folders(ofGroup path: FilePath) -> [FilePath] {
    var rest = path.lexicallyNormalized()
    // In a container the mount may begin at the container's group, whose whole path is given.
    if rest.removePrefix(root) == false { rest = "/" }
    rest.root = nil
    var folders: [FilePath] = []
    while true {
      folders.append(rest.isEmpty ? point : point.pushing(rest))
      guard !rest.isEmpty else { return folders }
      rest.removeLastComponent()
    }
  }
}
