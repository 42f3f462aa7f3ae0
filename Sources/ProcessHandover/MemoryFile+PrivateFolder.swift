internal import Platform
public import SystemPackage

extension MemoryFile {
  /// A folder in memory (tmpfs) that only this process's user can write, so that no other user can put
  /// a file or a link there first.
  ///
  /// It is the first of these: `$XDG_RUNTIME_DIR`; `/run` for root, `/run/user/UID` for others;
  /// `/dev/shm/UID-memory`, which is made with mode 0700.
  ///
  /// - Throws: `untrustedFolder` where another user made `/dev/shm/UID-memory` first, or its mode lets
  ///   others write it; `cannotCreate`.
  public static func privateFolder() throws(MemoryFileError) -> FilePath {
    let user = SystemCalls.effectiveUserID
    var candidates: [FilePath] = [user == 0 ? "/run" : FilePath("/run/user/\(user)")]
    if let variable = SystemCalls.environmentValue("XDG_RUNTIME_DIR"), variable.hasPrefix("/") {
      candidates.insert(FilePath(variable), at: 0)
    }
    if let found = candidates.first(where: { isPrivate($0) && isInMemory($0) }) { return found }
    return try ownFolder(in: "/dev/shm", of: user)
  }

  /// The folder of this user in one that every user may write.
  static func ownFolder(
    in parent: FilePath, of user: UInt32
  ) throws(MemoryFileError) -> FilePath {
    let path = parent.appending("\(user)-memory")
    do throws(Errno) {
      try SystemCalls.makeFolder(path)
    } catch {
      guard error == .fileExists else { throw .cannotCreate(error) }
    }
    guard isPrivate(path) else { throw .untrustedFolder }
    return path
  }

  /// Whether there is a folder, and not a link, that only this user can write.
  private static func isPrivate(_ path: FilePath) -> Bool {
    guard let status = try? SystemCalls.status(at: path, followsLinks: false) else { return false }
    return status.kind == .directory && status.ownerID == SystemCalls.effectiveUserID
      && status.permissions & 0o022 == 0
  }

  private static func isInMemory(_ path: FilePath) -> Bool {
    guard let folder = try? SystemCalls.open(path, .readOnly, options: .directory) else {
      return false
    }
    let descriptor = OwnedDescriptor(folder)
    return (try? MemoryFileStorage(of: descriptor.descriptor)) == .tmpfs
  }
}
