public import SystemPackage

/// Why the Live Update Orchestrator refused.
///
/// Source: Linux 7.3, seen in a guest: each case names the errno it represents.
@nonexhaustive
public enum LiveUpdateError: Error, Equatable, Sendable {
  // The device.

  /// The device does not exist (ENOENT): this kernel does not do live updates.
  case unavailable
  /// Another process has the device open (EBUSY); one at a time may.
  case deviceBusy
  /// This process may not open the device (EACCES, EPERM).
  case notPermitted

  // Sessions.

  /// A session's name has 1 to 63 bytes, none of them 0.
  case nameInvalid(byteCount: Int)
  /// A session of that name is being prepared already (EEXIST).
  case sessionExists
  /// The kernel before left no session of that name, or it was retrieved already (ENOENT).
  case noSuchSession

  // Files.

  /// The file cannot be preserved (ENOENT): it is neither a memfd nor a tmpfs file without a name.
  case fileNotPreservable
  /// The file has a name, so the kernel does not preserve it.
  case fileHasName(FilePath?)
  /// The file is preserved already, in this session or another (EBUSY).
  case alreadyPreserved
  /// The session has another file under that token (EEXIST).
  case tokenTaken(UInt64)
  /// The session has no file under that token, or gave it back already (ENOENT).
  case noSuchFile(token: UInt64)
  /// The kernel would give the file back sealed against writing: the memfd was made with
  /// MFD_NOEXEC_SEAL.
  case comesBackReadOnly
  /// The file is sealed against writing: a memfd made with MFD_NOEXEC_SEAL went through a live update.
  case readOnly
  /// The system does not have enough memory (ENOMEM): preserving needs a page for each page of the file.
  case outOfMemory

  /// Another failure of open(2) or ioctl(2).
  case failed(Request, Errno)

  /// What was asked.
  @nonexhaustive
  public enum Request: Hashable, Sendable {
    case openDevice, createSession, retrieveSession, preserve, retrieve, finish, getName
    /// kexec_file_load(2).
    case loadKernel
    /// reboot(2).
    case restart
  }
}

extension LiveUpdateError: CustomStringConvertible {
  /// One sentence without a full stop: what was found, and what to do about it.
  public var description: String {
    switch self {
    case .unavailable:
      "/dev/liveupdate does not exist: the kernel needs CONFIG_LIVEUPDATE, and kho=on liveupdate=on on its "
        + "command line"
    case .deviceBusy:
      "another process has /dev/liveupdate open, which one process at a time may: ask it for a session, or "
        + "let it close the device (its sessions stay)"
    case .notPermitted:
      "only root may open /dev/liveupdate: run as root, or ask a service that has it"
    case .nameInvalid(let byteCount):
      "a session's name has 1 to 63 bytes, none of them 0, and this one has \(byteCount)"
    case .sessionExists: "a session of that name is being prepared already: choose another name"
    case .noSuchSession:
      "the previous kernel left no session of that name, or it was retrieved already"
    case .fileNotPreservable:
      "the file cannot be preserved: only a memfd without huge pages, or a tmpfs file without a name, can"
    case .fileHasName(let path):
      "the file has a name\(path.map { ", \($0)" } ?? ""), and a live update keeps only files without one: "
        + "unlink it first, or copy it to a memfd"
    case .alreadyPreserved: "the file is preserved already, in this session or another"
    case .tokenTaken(let token): "the session has another file under the token \(token)"
    case .noSuchFile(let token):
      "the session has no file under the token \(token), or gave it back already"
    case .comesBackReadOnly:
      "the file was made with MFD_NOEXEC_SEAL, so the next kernel would seal it against writing: make it "
        + "with MFD_EXEC, or copy it to a file that was"
    case .readOnly:
      "the file is sealed against writing, since it was made with MFD_NOEXEC_SEAL and went through a live "
        + "update: copy it to a new file"
    case .outOfMemory:
      "the system does not have enough memory to preserve the file: each of its pages needs memory, also the holes"
    case .failed(let request, let errno): "\(request.text) failed (\(errno))"
    }
  }
}

extension LiveUpdateError.Request {
  fileprivate var text: String {
    switch self {
    case .openDevice: "opening /dev/liveupdate"
    case .createSession: "creating the session"
    case .retrieveSession: "retrieving the session"
    case .preserve: "preserving the file"
    case .retrieve: "retrieving the file"
    case .finish: "finishing the session"
    case .getName: "reading the session's name"
    case .loadKernel: "loading the kernel"
    case .restart: "starting the kernel"
    }
  }
}
