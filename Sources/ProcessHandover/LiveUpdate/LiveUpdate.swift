internal import Platform
public import SystemPackage

/// The Live Update Orchestrator of Linux, `/dev/liveupdate`: files that survive a kernel update.
///
///     before the kexec                              after it
///     let device = try LiveUpdate.open()            let device = try LiveUpdate.open()
///     let session = try device.createSession(       let session = try device.retrieveSession(
///       named: "cache")                               named: "cache")
///     try session.preserve(file, token: 1)          let file = try session.retrieve(token: 1)
///     … keep `session` until the kexec              try session.finish()
///
/// A session that is closed before the kexec is forgotten, with its files. The device may be closed
/// before; one process at a time may have it open.
///
/// Source: Linux 7.3, include/uapi/linux/liveupdate.h and Documentation/userspace-api/liveupdate.rst.
public struct LiveUpdate: ~Copyable {
  private let device: OwnedDescriptor

  /// The device's path.
  public static var devicePath: FilePath { "/dev/liveupdate" }

  private init(_ device: consuming OwnedDescriptor) { self.device = device }

  /// Opens the device.
  ///
  /// - Throws: `unavailable`, `deviceBusy`, `notPermitted`, `failed`.
  public static func open(_ path: FilePath = devicePath) throws(LiveUpdateError) -> LiveUpdate {
    do throws(Errno) {
      return LiveUpdate(OwnedDescriptor(try SystemCalls.open(path, .readWrite)))
    } catch {
      switch error {
      case .noSuchFileOrDirectory, .noSuchAddressOrDevice: throw .unavailable
      case .resourceBusy: throw .deviceBusy
      case .permissionDenied, .notPermitted: throw .notPermitted
      default: throw .failed(.openDevice, error)
      }
    }
  }

  /// Begins a session that the next kernel gives back under `name`.
  ///
  /// - Throws: `nameInvalid`, `sessionExists`, `outOfMemory`, `failed`.
  public borrowing func createSession(
    named name: String
  ) throws(LiveUpdateError) -> OutgoingSession {
    let session = try session(.createSession, name) { (error) in
      error == .fileExists ? .sessionExists : nil
    }
    return OutgoingSession(adopting: session)
  }

  /// Takes a session that the previous kernel left.
  ///
  /// - Throws: `nameInvalid`, `noSuchSession`, `failed`.
  public borrowing func retrieveSession(
    named name: String
  ) throws(LiveUpdateError) -> IncomingSession {
    let session = try session(.retrieveSession, name) { (error) in
      // EINVAL: it was retrieved already.
      error == .noSuchFileOrDirectory || error == .invalidArgument ? .noSuchSession : nil
    }
    return IncomingSession(adopting: session)
  }

  private borrowing func session(
    _ request: LiveUpdateRequest, _ name: String, _ meaning: (Errno) -> LiveUpdateError?
  ) throws(LiveUpdateError) -> FileDescriptor {
    guard !name.isEmpty, name.utf8.count < LiveUpdateRequest.nameByteCount,
      !name.utf8.contains(0)
    else { throw .nameInvalid(byteCount: name.utf8.count) }
    var message = LiveUpdateMessage(request)
    message.descriptor = -1
    message.name = name
    do throws(Errno) { try message.send(to: device.descriptor) } catch {
      if let known = meaning(error) { throw known }
      if error == .noMemory { throw .outOfMemory }
      throw .failed(request == .createSession ? .createSession : .retrieveSession, error)
    }
    return FileDescriptor(rawValue: message.descriptor)
  }
}
