internal import CacheCore

extension ServerOptions {
  /// The options, where all stand there as `--name value`; nil where anything else does, also a mistake.
  ///
  /// ArgumentParser finds out by reflection what there is, which takes longer than everything else
  /// before the first client is served. So it is asked only for what this does not understand.
  init?(quick arguments: [String]) {
    self.init()
    guard arguments.count % 2 == 0 else { return nil }
    var seen: Set<String> = []
    for index in stride(from: 0, to: arguments.count, by: 2) {
      let name = arguments[index]
      let value = arguments[index + 1]
      guard !value.hasPrefix("-"), seen.insert(name).inserted else { return nil }
      switch name {
      case "--port":
        guard let number = UInt16(value) else { return nil }
        port = number
      case "--bind": address = value
      case "--memory-file": memoryFile = value
      case "--maxmemory":
        guard let byteCount = ByteCountText.parse(value) else { return nil }
        maximumByteCount = byteCount
      case "--maxmemory-policy":
        guard let known = Settings.Policy(rawValue: value) else { return nil }
        policy = known
      case "--capacity":
        guard let byteCount = ByteCountText.parse(value) else { return nil }
        capacity = byteCount
      default: return nil
      }
    }
  }
}
