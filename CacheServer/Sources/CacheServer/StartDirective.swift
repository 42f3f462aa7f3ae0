internal import CacheCore

/// A directive that only a start takes: the command line and the configuration file know it, and
/// `CONFIG SET` does not.
struct StartDirective: Sendable {
  let name: String
  let help: String
  let read: @Sendable (ServerOptions) -> String
  private let write: @Sendable (String, inout ServerOptions) -> String?

  /// All of them, in the order of `--help`.
  static let all: [StartDirective] = [
    .port("port", "The TCP port to listen at", { $0.port }, { $0.port = $1 }),
    .init(
      name: "bind", help: "The addresses to listen at, separated by spaces; * for all.",
      read: { $0.addresses.joined(separator: " ") },
      write: { text, options in
        let addresses = text.split(separator: " ").map(String.init)
        guard !addresses.isEmpty else { return "an address is missing" }
        options.addresses = addresses
        return nil
      }),
    .init(
      name: "tcp-backlog", help: "How many clients may wait to be accepted.",
      read: { String($0.backlog) },
      write: { text, options in
        guard let number = Int(text), (1...65535).contains(number) else {
          return "a backlog is a number from 1 to 65535"
        }
        options.backlog = number
        return nil
      }),
    .init(
      name: "io-threads",
      help: "How many threads serve clients; 0 for as many as there are processors, up to "
        + "\(ServerOptions.standardLoopLimit).",
      read: { $0.loopCount.map(String.init) ?? "0" },
      write: { text, options in
        guard let number = Int(text), (0...128).contains(number) else {
          return "a number of threads is one from 0 to 128"
        }
        options.loopCount = number == 0 ? nil : number
        return nil
      }),
    .socket(
      "unixsocket", "The path of a UNIX socket to listen at as well.", { $0.unixSocket },
      { $0.unixSocket = $1 }),
    .mode(
      "unixsocketperm", "The mode of its file, in octal digits, as 700.", { $0.unixSocketMode },
      { $0.unixSocketMode = $1 }),
    .port(
      "memcached-port", "The TCP port for clients of the memcached protocol", { $0.memcachedPort },
      { $0.memcachedPort = $1 }),
    .socket(
      "memcached-unixsocket", "The path of a UNIX socket for them.", { $0.memcachedSocket },
      { $0.memcachedSocket = $1 }),
    .mode(
      "memcached-unixsocketperm", "The mode of its file, in octal digits, as 700.",
      { $0.memcachedSocketMode }, { $0.memcachedSocketMode = $1 }),
    .port(
      "tls-port", "The TCP port for clients of Redis's protocol inside TLS", { $0.tlsPort },
      { $0.tlsPort = $1 }),
    .path(
      "tls-cert-file", "The server's certificate and those between it and a root: PEM.",
      { $0.tls.certificateFile }, { $0.tls.certificateFile = $1 }),
    .path(
      "tls-key-file", "The key of the certificate: PEM.", { $0.tls.keyFile },
      { $0.tls.keyFile = $1 }),
    .path(
      "tls-ca-cert-file", "The roots of clients' certificates: PEM.", { $0.tls.authorityFile },
      { $0.tls.authorityFile = $1 }),
    .init(
      name: "tls-auth-clients",
      help: "Whether clients need a certificate: yes, no, or optional, for those that send one.",
      read: { $0.tls.clients.rawValue },
      write: { text, options in
        guard let clients = TLSOptions.ClientCertificates(rawValue: text) else {
          return "it is yes, no or optional"
        }
        options.tls.clients = clients
        return nil
      }),
    .port(
      "metrics-port", "The TCP port for GET /metrics of Prometheus", { $0.metricsPort },
      { $0.metricsPort = $1 }),
    .init(
      name: "memory-file",
      help: "Where the entries are: a file on tmpfs or hugetlbfs, or memfd:NAME, kept by systemd.",
      read: { $0.memoryFile },
      write: { text, options in
        guard !text.isEmpty, !text.utf8.contains(0) else { return "the memory file has no name" }
        options.memoryFile = text
        return nil
      }),
    .init(
      name: "standby",
      help: "Whether to wait, with everything ready, for the end of a server that uses the memory "
        + "file: yes or no.",
      read: { $0.isStandby ? "yes" : "no" },
      write: { text, options in
        guard ["yes", "no"].contains(text.lowercased()) else { return "it is yes or no" }
        options.isStandby = text.lowercased() == "yes"
        return nil
      }),
    .init(
      name: "capacity", help: "How large the memory file may grow, as 16gb.",
      read: { $0.capacity.map(String.init) ?? "0" },
      write: { text, options in
        guard let byteCount = ByteCountText.parse(text) else { return "not a size, as 16gb" }
        guard byteCount == 0 || byteCount >= 1 << 20 else { return "a capacity is at least 1mb" }
        options.capacity = byteCount == 0 ? nil : byteCount
        return nil
      }),
    .init(
      name: "maxclients", help: "How many clients may be connected; 0 for what descriptors allow.",
      read: { $0.clientLimit.map(String.init) ?? "0" },
      write: { text, options in
        guard let number = Int(text), number >= 0 else { return "not a number of clients" }
        options.clientLimit = number == 0 ? nil : number
        return nil
      }),
  ]

  /// Directives of redis.conf that are true of this server with these values, and refused with others.
  static let implied: [String: String] = [
    "save": "", "appendonly": "no", "databases": "16", "daemonize": "no",
  ]

  /// Gives the directive called `name` a value.
  ///
  /// - Throws: ``OptionError``, a sentence without the place where the directive was found.
  static func set(
    _ name: String, to text: String, in options: inout ServerOptions
  ) throws(OptionError) {
    // One after the other: the type of a dictionary is made while the program runs, which takes longer at a start.
    if let directive = all.first(where: { $0.name == name }) {
      if let refusal = directive.write(text, &options) {
        throw OptionError("\(name) \(text): \(refusal)")
      }
    } else if let directive = Directive.named(name) {
      do throws(DirectiveRefusal) { try directive.set(text, in: &options.settings) } catch {
        throw OptionError("\(name) \(text): \(error.reason)")
      }
    } else if let value = implied[name] {
      guard text == value else {
        throw OptionError(
          "\(name) \(text): this server always does as with \(name) \(value.isEmpty ? "\"\"" : value)"
        )
      }
    } else {
      throw OptionError("\(name) is not a directive of this server; see --help")
    }
  }
}

extension StartDirective {
  // Not key paths: the runtime makes each while the program runs, by some 30,000 instructions.
  private typealias Getter<Value> = @Sendable (ServerOptions) -> Value
  private typealias Setter<Value> = @Sendable (inout ServerOptions, Value) -> Void

  private static func port(
    _ name: String, _ help: String, _ get: @escaping Getter<UInt16?>,
    _ set: @escaping Setter<UInt16?>
  ) -> StartDirective {
    StartDirective(
      name: name, help: "\(help); 0 for any that is free, none for no TCP.",
      read: { get($0).map(String.init) ?? "none" },
      write: { text, options in
        if text == "none" {
          set(&options, nil)
          return nil
        }
        guard let number = UInt16(text) else {
          return "a port is a number from 0 to 65535, or none"
        }
        set(&options, number)
        return nil
      })
  }

  private static func socket(
    _ name: String, _ help: String, _ get: @escaping Getter<String?>,
    _ set: @escaping Setter<String?>
  ) -> StartDirective {
    StartDirective(
      name: name, help: help, read: { get($0) ?? "" },
      write: { text, options in
        guard text.utf8.count <= 107 else { return "the path of a socket has at most 107 bytes" }
        set(&options, text.isEmpty ? nil : text)
        return nil
      })
  }

  /// The path of a file of ``TLSOptions``.
  private static func path(
    _ name: String, _ help: String, _ get: @escaping Getter<String>, _ set: @escaping Setter<String>
  ) -> StartDirective {
    StartDirective(
      name: name, help: help, read: get,
      write: { text, options in
        guard !text.utf8.contains(0) else { return "a path contains no zero byte" }
        set(&options, text)
        return nil
      })
  }

  private static func mode(
    _ name: String, _ help: String, _ get: @escaping Getter<UInt32?>,
    _ set: @escaping Setter<UInt32?>
  ) -> StartDirective {
    StartDirective(
      name: name, help: help,
      read: { get($0).map { String($0, radix: 8) } ?? "0" },
      write: { text, options in
        guard let mode = UInt32(text, radix: 8), mode <= 0o777 else {
          return "a mode is an octal number up to 777"
        }
        set(&options, mode == 0 ? nil : mode)
        return nil
      })
  }
}
