internal import CacheCore
internal import Logging

extension Engine {
  /// Reads the configuration file again, and does as it says as far as that can change while the server
  /// runs. Without a file, nothing happens; where the file is wrong, nothing changes.
  ///
  /// The files of the certificate are read again as well: for clients that connect from then on.
  func reload() {
    reloadIdentity()
    guard let file = configuration.file else {
      logger.notice(
        "SIGHUP: no configuration file is read, because the server was started without one")
      return
    }
    guard let old = cache?.settings else { return }
    var options = ServerOptions()
    options.settings = old
    do throws(OptionError) { try options.read(file) } catch {
      logger.error("SIGHUP: nothing was changed: \(error.sentence)")
      return
    }
    cache?.settings = options.settings
    logger.notice("SIGHUP: \(file) was read again")
  }

  private func reloadIdentity() {
    guard let options = configuration.tls else { return }
    do throws(StartFailure) {
      tls = try TLSIdentity(options)
      logger.notice("SIGHUP: the certificate was read again")
    } catch {
      logger.error("SIGHUP: the certificate stays as it was: \(error.sentence)")
    }
  }

  /// Has the sockets that listen, and so those of the clients that connect from now on, do as
  /// `tcp-keepalive` says.
  func setKeepAlive() {
    let seconds = settings.keepAliveSeconds
    keepAliveSeconds = seconds
    for listener in listeners where listener.isInternet {
      SystemCalls.setOptions(ofListener: listener.socket, keepAlive: seconds)
    }
  }
}
