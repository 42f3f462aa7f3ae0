internal import Platform
internal import SystemPackage

extension Successor {
  /// What the predecessor passed on to this process; nil where it was not started as a successor.
  ///
  /// Asked once, before other threads look at the environment: `KHO_HANDOVER` is removed from it,
  /// whatever it holds, so that no child takes it for its own.
  ///
  /// - Throws: `malformedVariable`, `unsupportedVersion`, `missingDescriptor`, `foreignDescriptor`.
  ///   What was passed on, as far as it is known to be, is closed.
  public static func inherited() throws(SuccessorError) -> ReceivedDescriptors? {
    guard let text = SystemCalls.environmentValue(SuccessorVariable.name) else { return nil }
    SystemCalls.removeEnvironmentValue(SuccessorVariable.name)
    return try received(SuccessorVariable(parsing: text))
  }

  static func received(
    _ variable: SuccessorVariable
  ) throws(SuccessorError) -> ReceivedDescriptors {
    var received = ReceivedDescriptors([])
    var problem: SuccessorError?
    // All are looked at, so that one that is wrong leaves none of the others open.
    for entry in variable.entries {
      let descriptor = FileDescriptor(rawValue: entry.number)
      do throws(Errno) {
        guard try SystemCalls.status(of: descriptor).identity == entry.identity else {
          problem = problem ?? .foreignDescriptor(name: entry.name)
          continue
        }
        received.append(NamedDescriptor(entry.name, descriptor))
        try SystemCalls.setCloseOnExec(descriptor, true)
      } catch {
        problem = problem ?? .missingDescriptor(name: entry.name, error)
      }
    }
    if let problem { throw problem }
    return received
  }
}
