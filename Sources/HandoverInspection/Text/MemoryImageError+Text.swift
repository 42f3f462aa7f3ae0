package import MemoryImages

extension MemoryImageError {
  /// What was found and what to do, as it follows `kho: PATH: `; names the tool's own options.
  package var sentence: String {
    switch self {
    case .baseAddressMissing:
      return "the file is no ELF, so it is taken as raw memory, which does not say where it was; "
        + "give the physical address of its first byte with --base"
    case .baseAddressUnexpected:
      return "the file is an ELF, which carries its own addresses; leave out --base"
    case .dumpCarriesAddresses:
      return "the file is a compressed dump, which carries its own addresses; leave out --base"
    case .rawImageBeyondAddressSpace(let base, let byteCount):
      return "the file's \(byteCount) bytes from address \(base) on would run past 2^64; "
        + "give a lower --base"
    default:
      let text = description
      let end = text.hasSuffix(".") ? text.dropLast() : text[...]
      return end.prefix(1).lowercased() + end.dropFirst()
    }
  }
}
