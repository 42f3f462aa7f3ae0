/// What `INFO` and the log report and the cache does not know by itself.
public struct ServerFacts: Sendable {
  /// The process.
  public var processID: Int32 = 0
  /// The port that is listened at.
  public var port = 0
  /// The address that is listened at.
  public var address = ""
  /// The port, address and socket of the memcached protocol.
  public var memcachedPort = 0
  /// The address, empty where it is not listened for.
  public var memcachedAddress = ""
  /// The UNIX socket; empty for none.
  public var memcachedSocket = ""
  /// The port of Redis's protocol inside TLS; 0 for none.
  public var tlsPort = 0
  /// The port that serves figures to Prometheus; 0 if the server does not.
  public var metricsPort = 0
  /// How many event loops serve clients.
  public var loopCount = 1
  /// How often an event loop had to wait for the lock that another one had.
  public var lockWaitCount: UInt64 = 0
  /// How long all of them have waited for it together, in microseconds.
  public var lockWaitMicroseconds: UInt64 = 0
  /// How many clients may wait to be accepted.
  public var backlog = 0
  /// The program, by the path that an upgrade starts.
  public var executable = ""
  /// The memory file, as the operator named it.
  public var memoryFile = ""
  /// The bytes up to which the file may grow.
  public var capacity: UInt64 = 0
  /// When the process began to serve, in milliseconds since 1970.
  public var startTime: UInt64 = 0
  /// The clients that are connected.
  public var clientCount = 0
  /// The clients that wait for the end of a pause.
  public var blockedCount = 0
  /// The clients that may be connected.
  public var clientLimit = 0
  /// The clients that were refused because too many were connected.
  public var rejectedCount = 0
  /// The clients that the server disconnected because they sent nothing for longer than `timeout`.
  public var idleCount = 0
  /// The bytes of memory that the process has, as the system counts.
  public var residentByteCount: UInt64 = 0
  /// The processor time of the process and of the children that have ended, in microseconds.
  public var processorTime = ProcessorTime()
  /// What the memory file is made of, in one word.
  public var storage = "tmpfs"
  /// When the memory file was written to its disk, in milliseconds since 1970.
  public var saveTime: UInt64 = 0
  /// Whether it is being written to its disk.
  public var isSaving = false
  /// Whether that failed the last time.
  public var hasSaveFailed = false
  /// The configuration file, by its path; empty for none.
  public var configurationFile = ""
  /// A service manager that keeps watch.
  public var isSupervised = false

  /// Nothing.
  public init() {}
}

/// What getrusage(2) reports, in microseconds.
public struct ProcessorTime: Equatable, Sendable {
  /// In the program.
  public var user: UInt64 = 0
  /// In the kernel.
  public var system: UInt64 = 0
  /// In the programs of children that have ended.
  public var childrenUser: UInt64 = 0
  /// In the kernel for children that have ended.
  public var childrenSystem: UInt64 = 0

  /// Nothing yet.
  public init() {}
}
