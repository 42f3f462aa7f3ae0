internal import RESP

extension Cache {
  /// `OBJECT ENCODING key`, `OBJECT IDLETIME key`, `OBJECT REFCOUNT key`.
  mutating func object(
    _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    let name = request[1]
    if name.isWord("help") {
      try request.expectCount(request.count == 2)
      reply.help(.object, Self.objectHelp)
      return
    }
    let isEncoding = name.isWord("encoding")
    let isIdleTime = name.isWord("idletime")
    let isReferenceCount = name.isWord("refcount")
    let isFrequency = name.isWord("freq")
    guard isEncoding || isIdleTime || isReferenceCount || isFrequency else {
      throw .unknownSubcommand(of: request)
    }
    try request.expectCount(request.count == 3)
    let key = request[2]
    let access = try lastAccess(of: key)
    let encoding = try withValueRead(of: key, touches: false) { value, _ in
      // As Redis would store it.
      Int64(decimal: value) != nil ? "int" : value.byteCount <= 44 ? "embstr" : "raw"
    }
    guard let access, let encoding else {
      reply.null()
      return
    }
    if isFrequency {
      guard !countsUses else {
        reply.integer(Int(try useCount(at: key) ?? 0))
        return
      }
      throw .sentence(
        "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note "
          + "that when switching between policies at runtime LRU and LFU data will take some time "
          + "to adjust.")
    }
    if isEncoding {
      reply.bulk(encoding)
    } else if isIdleTime {
      guard !countsUses else {
        throw .sentence(
          "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when "
            + "switching between policies at runtime LRU and LFU data will take some time to adjust."
        )
      }
      reply.integer(Int64((accessClock &- min(access, accessClock)) / 1000))
    } else {
      reply.integer(1)
    }
  }

  private static let objectHelp = [
    "ENCODING <key>",
    "    Return the kind of internal representation that Redis would store the value",
    "    associated with a <key> in.",
    "IDLETIME <key>",
    "    Return the idle time of the <key>, that is the approximated number of",
    "    seconds elapsed since the last access to the key.",
    "FREQ <key>",
    "    Return the access frequency index of the <key>. The returned integer is",
    "    proportional to the logarithm of the recent access frequency of the key.",
    "REFCOUNT <key>",
    "    Return the number of references of the value associated with the specified",
    "    <key>.",
  ]
}
