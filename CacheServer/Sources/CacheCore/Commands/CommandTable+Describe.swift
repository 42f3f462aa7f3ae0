internal import RESP

// COMMAND, as clients ask to find out what they can do.

extension CommandTable {
  /// `COMMAND`, `COMMAND COUNT`, `LIST`, `INFO`, `DOCS`, `GETKEYS`.
  func describe(
    _ request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    guard request.count > 1 else {
      reply.array(Command.allCases.count)
      for command in Command.allCases { Self.writeInfo(of: command, &reply) }
      return
    }
    let name = request[1]
    if name.isWord("count") {
      try request.expectCount(request.count == 2)
      reply.integer(Command.allCases.count)
    } else if name.isWord("list") {
      guard request.count == 2 else { throw .syntax }
      reply.set(Command.allCases.count)
      for command in Command.allCases { reply.bulk(command.name) }
    } else if name.isWord("info") {
      writeEach(request, &reply, isMap: false)
    } else if name.isWord("docs") {
      writeEach(request, &reply, isMap: true)
    } else if name.isWord("getkeys") {
      try writeKeys(of: request, &reply)
    } else if name.isWord("help") {
      try request.expectCount(request.count == 2)
      reply.help(.command, Self.commandHelp)
    } else {
      throw .unknownSubcommand(of: request)
    }
  }

  private static let commandHelp = [
    "(no subcommand)",
    "    Return details about all commands.",
    "COUNT",
    "    Return the total number of commands in this server.",
    "LIST",
    "    Return a list of all commands in this server.",
    "INFO [<command-name> ...]",
    "    Return details about multiple commands.",
    "DOCS [<command-name> ...]",
    "    Return documentation details about multiple commands.",
    "GETKEYS <full-command>",
    "    Return the keys from a full command.",
  ]

  /// The commands that are named, or all.
  private func writeEach(
    _ request: borrowing Request, _ reply: inout ReplyWriter, isMap: Bool
  ) {
    var commands: [Command?] = Command.allCases
    if request.count > 2 {
      commands = []
      for index in 2..<request.count { commands.append(slot(of: request[index]).command) }
    }
    if isMap {
      // Unknown commands are left out.
      let known = commands.compactMap { $0 }
      reply.map(known.count)
      for command in known {
        reply.bulk(command.name)
        Self.writeDocumentation(of: command, &reply)
      }
    } else {
      reply.array(commands.count)
      for command in commands {
        if let command { Self.writeInfo(of: command, &reply) } else { reply.null() }
      }
    }
  }

  private static func writeWords(_ words: [String], _ reply: inout ReplyWriter) {
    reply.set(words.count)
    for word in words { reply.simple(word) }
  }

  private static func writeWords(of text: String, _ reply: inout ReplyWriter) {
    writeWords(text.split(separator: " ").map(String.init), &reply)
  }

  /// Name, arity, flags, keys, categories, tips, key specifications, subcommands.
  private static func writeInfo(of command: Command, _ reply: inout ReplyWriter) {
    let entry = command.entry
    let details = command.details
    reply.array(10)
    reply.bulk(command.name)
    reply.integer(entry.arity)
    writeWords(entry.flags.words, &reply)
    reply.integer(details.keys?.first ?? 0)
    reply.integer(details.keys?.last ?? 0)
    reply.integer(details.keys?.step ?? 0)
    writeWords(of: details.categories, &reply)
    reply.set(details.tips.count)
    for tip in details.tips { reply.bulk(tip) }
    reply.set(details.keys == nil ? 0 : 1)
    if let keys = details.keys { writeSpecification(of: keys, &reply) }
    reply.set(0)
  }

  private static func writeSpecification(
    of keys: CommandDetails.Keys, _ reply: inout ReplyWriter
  ) {
    reply.map(keys.notes == nil ? 3 : 4)
    if let notes = keys.notes {
      reply.bulk("notes")
      reply.bulk(notes)
    }
    reply.bulk("flags")
    writeWords(of: keys.flags, &reply)
    reply.bulk("begin_search")
    reply.map(2)
    reply.bulk("type")
    reply.bulk("index")
    reply.bulk("spec")
    reply.map(1)
    reply.bulk("index")
    reply.integer(keys.first)
    reply.bulk("find_keys")
    reply.map(2)
    reply.bulk("type")
    reply.bulk("range")
    reply.bulk("spec")
    reply.map(3)
    reply.bulk("lastkey")
    reply.integer(keys.last < 0 ? keys.last : keys.last - keys.first)
    reply.bulk("keystep")
    reply.integer(keys.step)
    reply.bulk("limit")
    reply.integer(0)
  }

  private static func writeDocumentation(of command: Command, _ reply: inout ReplyWriter) {
    let details = command.details
    let pairs = [
      ("summary", details.summary), ("since", details.since), ("group", details.group),
      ("complexity", details.complexity),
    ]
    reply.map(pairs.count)
    for (name, value) in pairs {
      reply.bulk(name)
      reply.bulk(value)
    }
  }

  private func writeKeys(
    of request: borrowing Request, _ reply: inout ReplyWriter
  ) throws(CommandError) {
    try request.expectCount(request.count > 3)
    let slot = self.slot(of: request[2])
    guard let command = slot.command else {
      throw .sentence("ERR Invalid command specified")
    }
    guard let keys = command.details.keys else {
      throw .sentence("ERR The command has no key arguments")
    }
    guard slot.takes(request.count - 2) else {
      throw .sentence("ERR Invalid number of arguments specified for command")
    }
    let count = request.count - 2
    let last = keys.last < 0 ? count + keys.last : keys.last
    let indices = Array(stride(from: keys.first, through: last, by: keys.step))
    reply.array(indices.count)
    for index in indices { reply.bulk(request[index + 2]) }
  }
}
