public import Handover

/// Why preserved memory cannot be had, or cannot do what was asked. What is preserved has not changed.
@nonexhaustive
public enum PreservedMemoryError: Error, Equatable, Sendable {
  /// The file cannot be opened, made or used.
  case file(MemoryFileError)
  /// What the file holds cannot be taken over.
  case contents(MemoryContentsError)
  /// Another process has the memory; which one, if the system names it.
  case heldByAnother(WriterLockError)
  /// The file is full: no run of that many frames is free, and it has grown to its capacity.
  case full(frameCount: UInt64, byteCount: UInt64)
  /// The file system has no more room, although frames of the file are free.
  case outOfStorage(MemoryFileError)
  /// The process cannot allocate memory for the allocator's metadata.
  case outOfProcessMemory(byteCount: UInt64)
  /// Something else has the name.
  case nameTaken
  /// Nothing has the name.
  case noSuchName
  /// What has the name is of another size.
  case sizeDiffers(byteCount: UInt64, wanted: UInt64)
  /// A takeover would lose collections: the program called `finish()` and neither `keepCollections()` nor
  /// `dropCollections()`.
  case collectionsNotKept([String])
  /// The name is that of a collection, or of the ledger of all of them, which are kept together.
  case partOfCollections(String)
  /// Values of the type cannot be stored: why, as a part of a sentence.
  case typeNotPreservable(String)
  /// The process that hands the memory over does not keep to what was agreed.
  case channel(DescriptorChannelError)
  /// The process that hands over sent no memory.
  case nothingReceived
  /// The handover refused.
  case handover(OutgoingHandoverError)
  /// The incoming handover refused.
  case incoming(IncomingHandoverError)
}
