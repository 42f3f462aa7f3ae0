import Handover
import MemoryAccess

extension PreservedMemoryError {
  /// What happened, as it follows `kho: PATH: `.
  package var sentence: String {
    switch self {
    case .file(let error): error.sentence
    case .contents(let error): error.sentence
    case .heldByAnother(let error): error.sentence
    case .full(let frameCount, let byteCount):
      "the memory is full: no \(countText(frameCount, "page")) in one piece in \(byteText(byteCount))"
    case .outOfStorage(let error): error.sentence
    case .outOfProcessMemory(let byteCount):
      "no memory is left for the allocator's metadata, \(byteText(byteCount))"
    case .nameTaken: "the name is taken"
    case .noSuchName: "the memory does not contain that name"
    case .sizeDiffers(let byteCount, let wanted):
      "what has that name has \(countText(byteCount, "byte")) instead of \(wanted)"
    case .collectionsNotKept(let names):
      "the takeover would lose the collections \(names.map { printable($0) }.joined(separator: ", ")); "
        + "call keepCollections() or dropCollections() before finish()"
    case .partOfCollections(let name):
      "\(printable(name)) is a part of the collections, which are kept together: call keepCollections()"
    case .typeNotPreservable(let reason): reason
    case .channel(let error): "the memory was not handed over: \(error)"
    case .nothingReceived: "the process that hands over sent no memory"
    case .handover(let error): "the handover refused: \(error)"
    case .incoming(let error): "the predecessor's handover refused: \(error)"
    }
  }
}

extension MemoryContentsError {
  /// What was found, as it follows `kho: PATH: `.
  package var sentence: String {
    switch self {
    case .superblock(let error): error.sentence
    case .deviceTreeChanged(let address):
      "the root device tree at \(address) is not as it was written: its check value does not fit"
    case .damaged(let finding): "its handover is damaged: \(finding.sentence)"
    case .versionNotWritable(let version):
      "its handover is of version \(version.compatible), which is read and not written"
    case .ledgerVersionUnknown(let version):
      "the ledger of its collections is of layout \(version), which a newer version of this program wrote; "
        + "this one reads layout 1"
    case .changeDamaged: "the record of the change that the last writer ended in is damaged"
    }
  }
}

extension SuccessorError {
  /// What happened, as it follows `kho: `.
  package var sentence: String {
    switch self {
    case .cannotPass(let name, let errno):
      "the descriptor \(printable(name)) cannot be passed on (\(errno))"
    case .cannotExecute(let errno): "the program cannot be executed (\(errno))"
    case .cannotSpawn(let errno): "no process can be started (\(errno))"
    case .malformedVariable: "KHO_HANDOVER is not what a predecessor writes"
    case .unsupportedVersion(let version):
      "KHO_HANDOVER is of version \(version), which a newer program wrote"
    case .missingDescriptor(let name, let errno):
      "the descriptor \(printable(name)) that was passed on is not open (\(errno))"
    case .foreignDescriptor(let name):
      "the descriptor \(printable(name)) that was passed on refers to something else"
    }
  }
}

extension PreservedMemoryError: CustomStringConvertible {
  /// What was found and where, as a part of a sentence.
  public var description: String { sentence }
}

extension MemoryContentsError: CustomStringConvertible {
  /// What was found and where, as a part of a sentence.
  public var description: String { sentence }
}

extension SuccessorError: CustomStringConvertible {
  /// What was found and where, as a part of a sentence.
  public var description: String { sentence }
}
