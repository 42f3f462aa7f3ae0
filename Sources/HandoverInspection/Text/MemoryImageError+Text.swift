package import MemoryImages

extension MemoryImageError {
  /// What was found and what to do, as it follows `kho: PATH: `; names the tool's own options.
  package var sentence: String {
    switch self {
    case .baseAddressMissing:
      return
        "the file is in no format of memory images that is known; if it is raw memory, give the "
        + "physical address of its first byte with --base, or the kind of virtual machine with --vmm"
    case .baseAddressUnexpected:
      return "the file is an ELF, which carries its own addresses; leave out --base"
    case .dumpCarriesAddresses:
      return "the file is a compressed dump, which carries its own addresses; leave out --base"
    case .rangesCarryAddresses:
      return "the file is a LiME or AVML dump, which carries its own addresses; leave out --base"
    case .foreign(let format):
      return
        "the file is \(format.name); \(format.remedy) (--raw takes it as raw memory all the same)"
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
