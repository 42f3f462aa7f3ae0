internal import Platform
internal import SystemPackage

/// The service manager that started this process, as systemd does: it keeps descriptors over a
/// restart of the service, `FileDescriptorStoreMax=` in systemd.service(5), and gives them back to
/// the next process.
///
/// The protocol is that of sd_notify(3); libsystemd is not needed.
public struct ServiceManager: Sendable {
  private let address: LocalAddress

  /// The manager that listens at `address`.
  public init(at address: LocalAddress) { self.address = address }

  /// The manager of this process, by NOTIFY_SOCKET; nil if the variable is not set, or empty.
  ///
  /// - Throws: `unsupportedAddress`.
  public static func current() throws(ServiceManagerError) -> ServiceManager? {
    guard let text = SystemCalls.environmentValue("NOTIFY_SOCKET"), !text.isEmpty else {
      return nil
    }
    return ServiceManager(at: try address(text))
  }

  /// `/` begins a path and `@` an abstract name; there are others, for virtual machines.
  static func address(_ text: String) throws(ServiceManagerError) -> LocalAddress {
    let address: LocalAddress =
      text.hasPrefix("@") ? .abstract(String(text.dropFirst())) : .path(FilePath(text))
    guard text.hasPrefix("@") || text.hasPrefix("/"), address.isValid else {
      throw .unsupportedAddress
    }
    return address
  }

  /// Asks the manager to keep a copy of the descriptor, and to give it to the next process under
  /// its name: `FDSTORE=1`.
  ///
  /// It says nothing about whether it does.
  ///
  /// - Throws: `cannotNotify`.
  public func store(_ descriptor: NamedDescriptor) throws(ServiceManagerError) {
    // What is not polled is not thrown away when its other end is closed.
    try send("FDSTORE=1\nFDPOLL=0\nFDNAME=\(descriptor.name)\n", [descriptor.descriptor])
  }

  /// Asks the manager to let go of what it keeps under `name`: `FDSTOREREMOVE=1`.
  ///
  /// - Throws: `cannotNotify`.
  /// - Precondition: the name is valid.
  public func removeStored(_ name: String) throws(ServiceManagerError) {
    precondition(NamedDescriptor.isValidName(name), "not a name for a descriptor: \(name)")
    try send("FDSTOREREMOVE=1\nFDNAME=\(name)\n")
  }

  /// Says that the service is ready: `READY=1`.
  ///
  /// - Throws: `cannotNotify`.
  public func notifyReady() throws(ServiceManagerError) { try send("READY=1\n") }

  /// Says that another process is the service from now on: `MAINPID=`.
  ///
  /// - Throws: `cannotNotify`.
  public func notifyMainProcess(_ processID: Int32) throws(ServiceManagerError) {
    try send("MAINPID=\(processID)\n")
  }

  private func send(
    _ message: String, _ descriptors: [FileDescriptor] = []
  ) throws(ServiceManagerError) {
    do throws(Errno) {
      let socket = OwnedDescriptor(try SystemCalls.makeSocket(isDatagram: true))
      // A manager that hangs must not hang the service.
      try SystemCalls.setTimeout(socket.descriptor, .seconds(10))
      try SystemCalls.send(
        socket.descriptor, Array(message.utf8), descriptors, to: address.socketAddress)
    } catch {
      throw .cannotNotify(error)
    }
  }
}
