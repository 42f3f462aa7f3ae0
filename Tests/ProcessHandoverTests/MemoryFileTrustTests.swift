import Foundation
import HandoverTestSupport
import MemoryAccess
import Platform
import SystemPackage
import Testing

@testable import ProcessHandover

/// Files that another user could have prepared, or can change.
@Suite(.namesCombination) struct MemoryFileTrustTests {
  private let folder: TemporaryFolder
  private let path: FilePath

  init() throws {
    folder = try TemporaryFolder()
    path = folder.path.appending("memory")
    try MemoryFile.create(.path(path), byteCount: 1 << 20).publish()
  }

  private func setMode(_ path: FilePath, _ mode: Int) throws {
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path.string)
  }

  @Test(.timeLimit(.minutes(1))) func aDanglingLinkIsRefused() throws {
    let link = folder.path.appending("link")
    try FileManager.default.createSymbolicLink(
      atPath: link.string, withDestinationPath: folder.path.appending("none").string)
    #expect(throws: MemoryFileError.danglingLink) { try MemoryFile.open(link) }
    #expect(throws: PreservedMemoryError.file(.danglingLink)) { _ = try PreservedMemory.open(link) }
    #expect(folder.names.sorted() == ["link", "memory"])
    // In a folder that every user may write the link is not even followed.
    try setMode(folder.path, 0o1777)
    #expect(throws: PreservedMemoryError.file(.untrustedLink)) {
      _ = try PreservedMemory.open(link)
    }
    #expect(throws: PreservedMemoryError.file(.danglingLink)) {
      _ = try PreservedMemory.open(link, trusting: .allFiles)
    }
  }

  /// A name that comes and goes: another process makes the file and removes it, over and over.
  @Test(.timeLimit(.minutes(1))) func aFileThatComesAndGoesIsNotWaitedFor() throws {
    let late = folder.path.appending("late")
    let watcher = CallWatcher(failing: .link, with: .fileExists)
    watcher.watch {
      #expect(throws: PreservedMemoryError.file(.alreadyExists)) {
        _ = try PreservedMemory.open(late)
      }
    }
    #expect(folder.names == ["memory"])
  }

  @Test func linksInFoldersOfAll() throws {
    let link = folder.path.appending("link")
    try FileManager.default.createSymbolicLink(
      atPath: link.string, withDestinationPath: path.string)
    #expect(try MemoryFile.open(link).byteCount == 1 << 20)
    try setMode(folder.path, 0o1777)
    #expect(throws: MemoryFileError.untrustedLink) { try MemoryFile.open(link) }
    #expect(try MemoryFile.open(path).byteCount == 1 << 20)
    #expect(try MemoryFile.open(link, trusting: .allFiles).byteCount == 1 << 20)
  }

  @Test func modesThatLetOthersWrite() throws {
    for mode in [0o666, 0o622, 0o620, 0o602, 0o660, 0o777] {
      try setMode(path, mode)
      #expect(throws: MemoryFileError.writableByOthers(permissions: UInt32(mode))) {
        try MemoryFile.open(path)
      }
      #expect(throws: PreservedMemoryError.file(.writableByOthers(permissions: UInt32(mode)))) {
        _ = try PreservedMemory.open(path)
      }
      #expect(try MemoryFile.open(path, trusting: .allFiles).byteCount == 1 << 20)
    }
    for mode in [0o600, 0o644, 0o700, 0o640] {
      try setMode(path, mode)
      #expect(try MemoryFile.open(path).byteCount == 1 << 20)
    }
  }

  @Test(.enabled(if: SystemCalls.effectiveUserID == 0, "only root can give a file away"))
  func filesOfOtherUsers() throws {
    try FileManager.default.setAttributes([.ownerAccountID: 65534], ofItemAtPath: path.string)
    #expect(throws: MemoryFileError.foreignOwner(userID: 65534)) { try MemoryFile.open(path) }
    #expect(try MemoryFile.open(path, trusting: .allFiles).byteCount == 1 << 20)
  }

  @Test func theFolderOfThisUser() throws {
    let found = try MemoryFile.privateFolder()
    let status = try SystemCalls.status(at: found, followsLinks: false)
    #expect(status.kind == .directory && status.permissions & 0o022 == 0)
    #expect(status.ownerID == SystemCalls.effectiveUserID)

    let user = SystemCalls.effectiveUserID
    let own = try MemoryFile.ownFolder(in: folder.path, of: user)
    #expect(try MemoryFile.ownFolder(in: folder.path, of: user) == own)
    #expect(try SystemCalls.status(at: own).permissions == 0o700)
    try setMode(own, 0o777)
    #expect(throws: MemoryFileError.untrustedFolder) {
      try MemoryFile.ownFolder(in: folder.path, of: user)
    }
    try FileManager.default.removeItem(atPath: own.string)
    try FileManager.default.createSymbolicLink(
      atPath: own.string, withDestinationPath: folder.path.string)
    #expect(throws: MemoryFileError.untrustedFolder) {
      try MemoryFile.ownFolder(in: folder.path, of: user)
    }
  }
}
