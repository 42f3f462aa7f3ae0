internal import Platform
internal import SystemPackage

extension ServiceManager {
  /// The descriptors that the service manager gave this process: its sockets, and what was stored;
  /// none if none exist, or they are for another process. See sd_listen_fds_with_names(3).
  ///
  /// Each call assumes that they were not taken before, so there is one. Where the manager gave no
  /// names, all are called `unknown`.
  ///
  /// - Parameter removesVariables: takes LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES out of the
  ///   environment, whatever they hold, so that no child sees them.
  /// - Throws: `malformedEnvironment`, `missingDescriptor`; nothing is closed.
  public static func receivedDescriptors(
    removingVariables removesVariables: Bool = false
  ) throws(ServiceManagerError) -> ReceivedDescriptors {
    let names = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]
    let values = names.map(SystemCalls.environmentValue)
    if removesVariables { names.forEach(SystemCalls.removeEnvironmentValue) }
    let listed = try ListenVariables(
      processID: values[0], count: values[1], names: values[2], ownProcessID: SystemCalls.processID)
    var descriptors: [NamedDescriptor] = []
    for (index, name) in listed.names.enumerated() {
      let descriptor = FileDescriptor(rawValue: ListenVariables.firstNumber + Int32(index))
      do throws(Errno) {
        try SystemCalls.setCloseOnExec(descriptor, true)
      } catch {
        throw .missingDescriptor(number: descriptor.rawValue, error)
      }
      descriptors.append(NamedDescriptor(unchecked: name, descriptor))
    }
    return ReceivedDescriptors(descriptors)
  }
}

/// What LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES say.
struct ListenVariables {
  /// SD_LISTEN_FDS_START.
  static let firstNumber: Int32 = 3

  /// More than any manager gives.
  static let countLimit = 4096

  /// The names of the descriptors, in the order of their numbers.
  private(set) var names: [String] = []

  init(
    processID: String?, count: String?, names: String?, ownProcessID: Int32
  ) throws(ServiceManagerError) {
    guard let processID, let count else { return }
    guard let processID = Self.number(processID), let count = Self.number(count),
      count <= Self.countLimit
    else { throw .malformedEnvironment }
    guard processID == ownProcessID, count > 0 else { return }
    guard let names else {
      self.names = Array(repeating: "unknown", count: Int(count))
      return
    }
    let given = names.split(separator: ":", omittingEmptySubsequences: false)
    guard given.count == count else { throw .malformedEnvironment }
    self.names = given.map(String.init)
  }

  /// Digits and nothing else.
  private static func number(_ text: String) -> Int32? {
    text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      ? Int32(text) : nil
  }
}
