public import Handover
public import MemoryImages
public import ProcessHandover
public import SystemPackage

/// Why the handovers of an image cannot be read.
@nonexhaustive
public enum HandoverImageError: Error, Equatable, Sendable {
  /// The file is not an image that can be read.
  case image(MemoryImageError)
  /// The file is a memory file, and its superblock cannot be used.
  case memoryFile(MemoryContentsError)
  /// The file is a memory file in which no process has begun a handover yet.
  case memoryFileWithoutHandover
  /// The file with the root device tree cannot be read.
  case deviceTreeFile(FilePath, MemoryImageError)
  /// The file with the root device tree is larger than any root device tree.
  case deviceTreeFileTooLarge(FilePath, limit: Int)
  /// No page of the memory begins with the root device tree of a handover.
  case noHandover
  /// Root device trees were found, `count` of them, all of memory files of processes.
  case onlyMemoryFiles(count: Int)
  /// As ``noHandover``, of a file that lacks a part of the memory.
  case noHandoverInPart(ImageShortfall)
  /// No handover of the image can be read; the first reason.
  case unreadable(HandoverFinding)
  /// A handover of the image was read, and has no entries.
  case nothingPreserved(String)
  /// The memory of the image is in more than `MemoryMap.limit` pieces.
  case memoryInTooManyPieces
  /// The running system cannot be read, or shows no handover.
  case runningSystem(LiveSystemError)
}

/// Why the handovers of the running system cannot be read.
@nonexhaustive
public enum LiveSystemError: Error, Equatable, Sendable {
  /// The memory cannot be read.
  case memory(LiveMemoryError)
  /// debugfs, which shows the handovers, is not mounted.
  case debugfsNotMounted
  /// A file of debugfs may be read by root only, or the kernel is locked down.
  case deviceTreeRefused(FilePath)
  /// A file of debugfs cannot be read.
  case deviceTreeUnreadable(FilePath, MemoryImageError)
  /// A file of debugfs is larger than any root device tree.
  case deviceTreeTooLarge(FilePath, limit: Int)
  /// The kernel has no folder for handovers in debugfs.
  case handoverFolderMissing(FilePath)
  /// The kernel does not show the root device tree of the handover that it prepares, and none was found in
  /// memory.
  case outgoingNotFound(FilePath)
  /// Neither the kernel's log nor the zones of its memory can be read.
  case machineUnreadable
  /// The kernel received no handover and prepares none.
  case noHandoverYet(FilePath)
}
