internal import CacheCore
internal import SystemPackage

/// What a command line asks for.
enum CommandLineWish: Equatable {
  case serve(ServerOptions)
  /// Text for standard output, and an end.
  case show(String)
  /// A look at the options, and an end.
  case check(ServerOptions)
}

extension CommandLineWish {
  /// Reads `[FILE] [--directive value …]`, as redis-server does.
  ///
  /// What the command line says counts more than what the file says, wherever it is.
  ///
  /// - Throws: ``OptionError``.
  init(_ arguments: [String]) throws(OptionError) {
    var rest = arguments[...]
    var options = ServerOptions()
    if let first = rest.first, !first.hasPrefix("-") {
      rest.removeFirst()
      options.file = FilePath(first)
      try options.read(FilePath(first))
    }
    var isCheck = false
    var seen: [String] = []
    while let word = rest.popFirst() {
      switch word {
      case "--help", "-h":
        self = .show(Self.help)
        return
      case "--version", "-v":
        self = .show(Self.version)
        return
      case "--check-config": isCheck = true
      default:
        guard word.hasPrefix("--"), word.count > 2 else {
          throw OptionError("\(word) is not an option; see --help")
        }
        let name = word.dropFirst(2).lowercased()
        guard let value = rest.popFirst() else {
          throw OptionError("\(word) needs a value; see --help")
        }
        guard !seen.contains(name) else { throw OptionError("\(word) is there twice") }
        seen.append(name)
        do throws(OptionError) { try StartDirective.set(name, to: value, in: &options) } catch {
          throw OptionError("--\(error.sentence)")
        }
      }
    }
    self = isCheck ? .check(options) : .serve(options)
  }

  private static var version: String {
    "cache-server \(Cache.version), replies as Redis \(Cache.redisVersion)\n"
  }

  private static var help: String {
    var text = """
      cache-server [FILE] [--DIRECTIVE VALUE]...

      A cache that speaks Redis and keeps its entries through upgrades and crashes: they are in the
      memory file. SIGTERM ends the server, and the next start serves what is there, also after a crash.
      SIGUSR2, or the command UPGRADE, starts the program anew and hands memory, listening sockets and
      clients over to it. SIGHUP reads FILE again.

      FILE has a directive and its value on each line, as redis.conf has. --check-config looks at it and
      at the options, and serves nothing; --version prints the version.

      At the start:

      """
    let defaults = ServerOptions()
    func add(_ name: String, _ help: String, _ value: String) {
      let shown = value.isEmpty ? "" : " [\(value)]"
      text += "  --\(name) VALUE\n      \(help)\(shown)\n"
    }
    for directive in StartDirective.all {
      add(directive.name, directive.help, directive.read(defaults))
    }
    text += "\nAlso with CONFIG SET, while it runs:\n\n"
    for directive in Directive.all {
      add(directive.name, directive.help, directive.value(in: defaults.settings))
    }
    return text
  }
}
