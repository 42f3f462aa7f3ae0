internal import Logging
internal import NIOCore
internal import ServiceLifecycle
internal import SystemPackage
internal import UnixSignals

/// The server as a function: arguments in, an exit status out.
public enum CacheServerCommandLine {
  /// How it has begun.
  public enum Beginning: Sendable {
    /// There is nothing to serve: the exit status is 0 done, 1 it cannot serve, 2 the command line or the
    /// configuration file is wrong.
    case over(status: Int32)
    /// Clients are served.
    case serving(RunningServer)
  }

  /// Begins to serve.
  ///
  /// - Parameter name: what the program was started as.
  /// - Parameter arguments: what stood behind it.
  public static func begin(_ name: String, _ arguments: [String]) -> Beginning {
    EarlySignals.hold()
    let configuration: ServerConfiguration
    do throws(OptionError) {
      let options: ServerOptions
      var isCheck = false
      switch try CommandLineWish(arguments) {
      case .show(let text):
        print(text, terminator: "")
        return .over(status: 0)
      case .check(let found):
        isCheck = true
        options = found
      case .serve(let found): options = found
      }
      configuration = try options.configuration(
        executable: ExecutablePath.resolve(name), arguments: arguments)
      if isCheck {
        print("cache-server: the configuration is valid")
        return .over(status: 0)
      }
    } catch {
      StandardError.write("cache-server: \(error.sentence)\n")
      return .over(status: 2)
    }
    LoggingSystem.bootstrap(StreamLogHandler.standardError)
    let logger = Logger(label: "cache-server")
    do throws(StartFailure) {
      guard let engine = try Engine.start(configuration, logger) else { return .over(status: 0) }
      return .serving(RunningServer(engine: engine))
    } catch {
      StandardError.write("cache-server: \(error.sentence)\n")
      return .over(status: 1)
    }
  }
}

/// A server that has begun to serve.
public struct RunningServer: Sendable {
  let engine: Engine

  /// Serves until a signal or a command ends it, or it has handed everything over.
  ///
  /// - Returns: the exit status: 0, or 1 where it could not go on.
  public func run() async -> Int32 {
    let group = ServiceGroup(
      configuration: .init(
        services: [
          .init(
            service: CacheService(engine: engine),
            successTerminationBehavior: .gracefullyShutdownGroup)
        ],
        gracefulShutdownSignals: [.sigterm, .sigint], logger: Logger.quiet))
    do {
      try await group.run()
    } catch {
      StandardError.write("cache-server: \(sentence(of: error))\n")
      return 1
    }
    return await engine.hasFailed() ? 1 : 0
  }
}

extension Logger {
  /// Prints only what goes wrong: the server itself reports what it does.
  static var quiet: Logger {
    var logger = Logger(label: "cache-server")
    logger.logLevel = .error
    return logger
  }
}

/// Serves until a signal or a client ends it, or until it has handed everything over.
///
/// It describes itself: of another service, the group would print what it contains by reflection, which takes longer than
/// all else that the group does at a start.
struct CacheService: Service, CustomStringConvertible {
  let engine: Engine

  var description: String { "cache-server" }

  func run() async throws {
    await withTaskGroup { group in
      group.addTask {
        for await _ in await UnixSignalsSequence(trapping: .sigusr2) {
          engine.onMainLoop { $0.upgrade(for: nil) }
        }
      }
      group.addTask {
        for await _ in await UnixSignalsSequence(trapping: .sighup) {
          engine.onMainLoop { $0.reload() }
        }
      }
      await withGracefulShutdownHandler {
        try? await engine.ended.get()
      } onGracefulShutdown: {
        engine.onMainLoop { $0.end() }
      }
      group.cancelAll()
    }
  }
}
